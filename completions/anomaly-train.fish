# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_anomaly_train_global_optspecs
    string join \n model-type= num-samples= scenario= data= input-format= mapping= agent-field= session-by= session-gap= action-field= time-field= time-unit= label-field= anomalous-label= source-field= risk-field= risk-range= records-at= id-field= normalize-names skip-bad-lines= validation-data= folds= train-ratio= split-strategy= group-by= count-field= normal-only drop-anomalous window= ngram-size= anomaly-threshold= epochs= batch-size= seed= l2= calibrate= learning-rate= max-ngrams= promotion-max-ece= promotion-min-accuracy= promotion-min-recall= promotion-min-precision= promotion-max-false-alarms= promotion-min-average-precision= promotion-max-regression= no-champion ece-bins= report= models-dir= require-promotion threads= json v/verbose q/quiet h/help V/version
end

function __fish_anomaly_train_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_anomaly_train_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_anomaly_train_using_subcommand
    set -l cmd (__fish_anomaly_train_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l model-type -d 'What to train; "anomaly" is the only type' -r -f -a "anomaly\t''"
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l num-samples -d 'Synthetic samples to draw, or most samples of --data to use, the first ones [default: 10000; all]' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l scenario -d 'Which synthetic samples to draw' -r -f -a "documented\t'short workflows, separable by construction'
mixed\t'sessions with hidden attacks and 2 % wrong labels'"
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l data -d 'Labelled samples as JSON lines, or a log, to train on' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l input-format -d 'What the input is [default: what it begins like]: samples, events, otlp, chat, transcript, cloudtrail, auditd, csv, tsv' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l mapping -d 'File with the values of these options, without the dashes: `action_field = "{source}:{name}"`; an option here comes first' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l agent-field -d 'Member that says who acted: a dotted path, as in all of these' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l session-by -d 'Members whose values keep sessions apart; may be repeated, or have commas between them' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l session-gap -d 'A pause longer than this starts a new session [default: 30m; none where the log has sessions of its own]' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l action-field -d 'Member that says what was done, or a text with members in braces: "{eventSource}:{eventName}"' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l time-field -d 'Member that says when' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l time-unit -d 'What a number stands for that is a time: auto, s, ms, us or ns since 1970' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l label-field -d 'Member that holds the label; a session is anomalous if one of its events is [default: label]' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l anomalous-label -d 'The value of the label that means anomalous, all others meaning normal [default: labels are 0 and 1]' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l source-field -d 'Member that says where an event comes from, like a host, if that may have a clock of its own' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l risk-field -d 'Member that says how risky it was' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l risk-range -d 'From where to where that goes, like 0..100' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l records-at -d 'Member that holds the array of records, where a document has them neither at its top nor where its format says' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l id-field -d 'Member that tells events apart: one that comes again is dropped' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l skip-bad-lines -d 'Leave lines or records out that cannot be read, if they are no more than this share, like 1%' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l validation-data -d 'Judge on these labelled samples, or on this log, instead of on part of the samples' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l folds -d 'Judge on all samples, in this many folds' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l train-ratio -d 'Share of the samples to train on; the others validate' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l split-strategy -d 'How samples are divided [default: stratified; grouped with --group-by or --normal-only]' -r -f -a "stratified\t'at random, the same share of anomalous samples in both parts'
random\t'at random'
temporal\t'the first samples train, the last validate'
grouped\t'no group in both parts, see --group-by'"
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l group-by -d 'Top-level field that names what belongs together, such as a task or a host' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l count-field -d 'Top-level field that says how many samples a line stands for, from 1 to 2^53' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l window -d 'How many actions in a row are judged together [default: 10]' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l ngram-size -d 'Longest n-gram, 1 to 8 [default: 3; 4 with --normal-only]' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l anomaly-threshold -d 'Score from which on, or what for: f1, recall=R, precision=R, false-alarms=R [default: 0.3]' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l epochs -d 'Most passes over the training part' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l batch-size -d 'Distinct sequences that an online fit visits together before the next ones' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l seed -d 'Where all randomness comes from: the same seed gives the same model' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l l2 -d 'Strength of the L2 penalty on the weights [default: of 1, 2, 4, 8 and 16 the one with the lowest loss on what is left out]' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l calibrate -d 'What is left out together to calibrate scores: whole groups, identical sequences; "auto" is "group" with --group-by, else "sequence"' -r -f -a "auto\t''
none\t''
sequence\t''
group\t''"
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l learning-rate -d 'The part of the way to its optimum that each training step goes' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l max-ngrams -d 'Most n-grams to keep, the most frequent first' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l promotion-max-ece -d 'Highest calibration error with which a model is promoted' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l promotion-min-accuracy -d 'Lowest accuracy with which a model is promoted [default: 0.85; none with one of the next four]' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l promotion-min-recall -d 'Lowest recall with which a model is promoted' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l promotion-min-precision -d 'Lowest precision with which a model is promoted' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l promotion-max-false-alarms -d 'Highest share of normal samples that a model which is promoted may report' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l promotion-min-average-precision -d 'Lowest average precision with which a model is promoted' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l promotion-max-regression -d 'By how much, in nats, the log loss may surely be higher than that of the current model, on samples new to both' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l ece-bins -d 'Bins of the calibration error' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l report -d 'Also write a page with figures and drawings for people' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l models-dir -d 'Where models are kept' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l threads -d 'Most threads to use [default: all]; never changes a result' -r
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l normalize-names -d 'Replace numbers, addresses, UUIDs and hexadecimal digits in the names of actions'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l normal-only -d 'Learn from normal samples alone, without labels'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l drop-anomalous -d 'Leave samples with label 1 out instead of refusing them'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l no-champion -d 'Promote without comparing with the current model'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l require-promotion -d 'End with exit code 4 if the model is not promoted'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -l json -d 'Write one JSON object to standard output, and the report to standard error'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -s V -l version -d 'Print version'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "train" -d 'Train and judge a model; the same as no command'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "generate" -d 'Write synthetic samples as JSON lines to standard output'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "check" -d 'Look at labelled data: what is there, and what stands against it'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "sessions" -d 'Write the samples that a log becomes, with the labels that people gave its sessions'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "predict" -d 'Score sequences, or the sessions of a log, with a trained model, and say why'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "monitor" -d 'Watch events as they come, and say what is anomalous'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "evaluate" -d 'Judge a trained model on labelled sequences'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "inspect" -d 'Show what is in a model file'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "verify" -d 'Check that a model file is whole, and that training again gives the same model'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "history" -d 'Show which models were promoted, refused and returned to'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "rollback" -d 'Make the model current again that the current one followed, or another earlier one'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "promote" -d 'Make a stored model current, also one that the gate refused'
complete -c anomaly-train -n "__fish_anomaly_train_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l model-type -d 'What to train; "anomaly" is the only type' -r -f -a "anomaly\t''"
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l num-samples -d 'Synthetic samples to draw, or most samples of --data to use, the first ones [default: 10000; all]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l scenario -d 'Which synthetic samples to draw' -r -f -a "documented\t'short workflows, separable by construction'
mixed\t'sessions with hidden attacks and 2 % wrong labels'"
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l data -d 'Labelled samples as JSON lines, or a log, to train on' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l input-format -d 'What the input is [default: what it begins like]: samples, events, otlp, chat, transcript, cloudtrail, auditd, csv, tsv' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l mapping -d 'File with the values of these options, without the dashes: `action_field = "{source}:{name}"`; an option here comes first' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l agent-field -d 'Member that says who acted: a dotted path, as in all of these' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l session-by -d 'Members whose values keep sessions apart; may be repeated, or have commas between them' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l session-gap -d 'A pause longer than this starts a new session [default: 30m; none where the log has sessions of its own]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l action-field -d 'Member that says what was done, or a text with members in braces: "{eventSource}:{eventName}"' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l time-field -d 'Member that says when' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l time-unit -d 'What a number stands for that is a time: auto, s, ms, us or ns since 1970' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l label-field -d 'Member that holds the label; a session is anomalous if one of its events is [default: label]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l anomalous-label -d 'The value of the label that means anomalous, all others meaning normal [default: labels are 0 and 1]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l source-field -d 'Member that says where an event comes from, like a host, if that may have a clock of its own' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l risk-field -d 'Member that says how risky it was' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l risk-range -d 'From where to where that goes, like 0..100' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l records-at -d 'Member that holds the array of records, where a document has them neither at its top nor where its format says' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l id-field -d 'Member that tells events apart: one that comes again is dropped' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l skip-bad-lines -d 'Leave lines or records out that cannot be read, if they are no more than this share, like 1%' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l validation-data -d 'Judge on these labelled samples, or on this log, instead of on part of the samples' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l folds -d 'Judge on all samples, in this many folds' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l train-ratio -d 'Share of the samples to train on; the others validate' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l split-strategy -d 'How samples are divided [default: stratified; grouped with --group-by or --normal-only]' -r -f -a "stratified\t'at random, the same share of anomalous samples in both parts'
random\t'at random'
temporal\t'the first samples train, the last validate'
grouped\t'no group in both parts, see --group-by'"
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l group-by -d 'Top-level field that names what belongs together, such as a task or a host' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l count-field -d 'Top-level field that says how many samples a line stands for, from 1 to 2^53' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l window -d 'How many actions in a row are judged together [default: 10]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l ngram-size -d 'Longest n-gram, 1 to 8 [default: 3; 4 with --normal-only]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l anomaly-threshold -d 'Score from which on, or what for: f1, recall=R, precision=R, false-alarms=R [default: 0.3]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l epochs -d 'Most passes over the training part' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l batch-size -d 'Distinct sequences that an online fit visits together before the next ones' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l seed -d 'Where all randomness comes from: the same seed gives the same model' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l l2 -d 'Strength of the L2 penalty on the weights [default: of 1, 2, 4, 8 and 16 the one with the lowest loss on what is left out]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l calibrate -d 'What is left out together to calibrate scores: whole groups, identical sequences; "auto" is "group" with --group-by, else "sequence"' -r -f -a "auto\t''
none\t''
sequence\t''
group\t''"
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l learning-rate -d 'The part of the way to its optimum that each training step goes' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l max-ngrams -d 'Most n-grams to keep, the most frequent first' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l promotion-max-ece -d 'Highest calibration error with which a model is promoted' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l promotion-min-accuracy -d 'Lowest accuracy with which a model is promoted [default: 0.85; none with one of the next four]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l promotion-min-recall -d 'Lowest recall with which a model is promoted' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l promotion-min-precision -d 'Lowest precision with which a model is promoted' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l promotion-max-false-alarms -d 'Highest share of normal samples that a model which is promoted may report' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l promotion-min-average-precision -d 'Lowest average precision with which a model is promoted' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l promotion-max-regression -d 'By how much, in nats, the log loss may surely be higher than that of the current model, on samples new to both' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l ece-bins -d 'Bins of the calibration error' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l report -d 'Also write a page with figures and drawings for people' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l models-dir -d 'Where models are kept' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l threads -d 'Most threads to use [default: all]; never changes a result' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l normalize-names -d 'Replace numbers, addresses, UUIDs and hexadecimal digits in the names of actions'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l normal-only -d 'Learn from normal samples alone, without labels'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l drop-anomalous -d 'Leave samples with label 1 out instead of refusing them'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l no-champion -d 'Promote without comparing with the current model'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l require-promotion -d 'End with exit code 4 if the model is not promoted'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -l json -d 'Write one JSON object to standard output, and the report to standard error'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand train" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand generate" -l num-samples -d 'Samples to draw' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand generate" -l seed -d 'Where all randomness comes from' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand generate" -l scenario -d 'Which samples to draw' -r -f -a "documented\t'short workflows, separable by construction'
mixed\t'sessions with hidden attacks and 2 % wrong labels'"
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand generate" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand generate" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l input-format -d 'What the input is [default: what it begins like]: samples, events, otlp, chat, transcript, cloudtrail, auditd, csv, tsv' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l mapping -d 'File with the values of these options, without the dashes: `action_field = "{source}:{name}"`; an option here comes first' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l agent-field -d 'Member that says who acted: a dotted path, as in all of these' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l session-by -d 'Members whose values keep sessions apart; may be repeated, or have commas between them' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l session-gap -d 'A pause longer than this starts a new session [default: 30m; none where the log has sessions of its own]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l action-field -d 'Member that says what was done, or a text with members in braces: "{eventSource}:{eventName}"' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l time-field -d 'Member that says when' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l time-unit -d 'What a number stands for that is a time: auto, s, ms, us or ns since 1970' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l label-field -d 'Member that holds the label; a session is anomalous if one of its events is [default: label]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l anomalous-label -d 'The value of the label that means anomalous, all others meaning normal [default: labels are 0 and 1]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l source-field -d 'Member that says where an event comes from, like a host, if that may have a clock of its own' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l risk-field -d 'Member that says how risky it was' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l risk-range -d 'From where to where that goes, like 0..100' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l records-at -d 'Member that holds the array of records, where a document has them neither at its top nor where its format says' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l id-field -d 'Member that tells events apart: one that comes again is dropped' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l skip-bad-lines -d 'Leave lines or records out that cannot be read, if they are no more than this share, like 1%' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l group-by -d 'Top-level field that names what belongs together, such as a task or a host' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l count-field -d 'Top-level field that says how many samples a line stands for' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l model -d 'Say what is new, gone and more frequent against the training part of this model, and whether it matters to its scores' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l report -d 'Also write a page for people' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l threads -d 'Most threads to use [default: all]; never changes a result' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l normalize-names -d 'Replace numbers, addresses, UUIDs and hexadecimal digits in the names of actions'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l normal-only -d 'Look at data to learn from without labels: samples without one are normal ones'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -l json -d 'Write one JSON object instead of lines'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l labels -d 'What people judged, as JSON lines: {"session": ..., "label": 0} or {"alert_id": ..., "label": 1}. Only what was judged is written then' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l input-format -d 'What the input is [default: what it begins like]: samples, events, otlp, chat, transcript, cloudtrail, auditd, csv, tsv' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l mapping -d 'File with the values of these options, without the dashes: `action_field = "{source}:{name}"`; an option here comes first' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l agent-field -d 'Member that says who acted: a dotted path, as in all of these' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l session-by -d 'Members whose values keep sessions apart; may be repeated, or have commas between them' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l session-gap -d 'A pause longer than this starts a new session [default: 30m; none where the log has sessions of its own]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l action-field -d 'Member that says what was done, or a text with members in braces: "{eventSource}:{eventName}"' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l time-field -d 'Member that says when' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l time-unit -d 'What a number stands for that is a time: auto, s, ms, us or ns since 1970' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l label-field -d 'Member that holds the label; a session is anomalous if one of its events is [default: label]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l anomalous-label -d 'The value of the label that means anomalous, all others meaning normal [default: labels are 0 and 1]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l source-field -d 'Member that says where an event comes from, like a host, if that may have a clock of its own' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l risk-field -d 'Member that says how risky it was' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l risk-range -d 'From where to where that goes, like 0..100' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l records-at -d 'Member that holds the array of records, where a document has them neither at its top nor where its format says' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l id-field -d 'Member that tells events apart: one that comes again is dropped' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l skip-bad-lines -d 'Leave lines or records out that cannot be read, if they are no more than this share, like 1%' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -l normalize-names -d 'Replace numbers, addresses, UUIDs and hexadecimal digits in the names of actions'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand sessions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l model -d 'The model file [default: the current model]; may be given twice, one that learned from labels and a normal-only one: each speaks for itself then' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l models-dir -d 'Where models are kept' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l sequence -d 'Score this sequence instead of a file: actions with commas between them, blanks around which do not count' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l anomaly-threshold -d 'Score from which a sequence is labelled anomalous, or what it is chosen for, on what was left out of training: f1, recall=R, precision=R, false-alarms=R [default: the model\'s]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l base-rate -d 'Share of anomalous sequences where the model is used, if that is not what it was in training: corrects all scores' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l top -d 'How many actions and n-grams an explanation names' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l format -d 'How answers are written: "auto" is a table on a terminal and JSON lines elsewhere' -r -f -a "auto\t'A table on a terminal, JSON lines elsewhere'
table\t'A table'
json\t'JSON lines'"
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l threads -d 'Most threads to use [default: all]; never changes a result' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l input-format -d 'What the input is [default: what it begins like]: samples, events, otlp, chat, transcript, cloudtrail, auditd, csv, tsv' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l mapping -d 'File with the values of these options, without the dashes: `action_field = "{source}:{name}"`; an option here comes first' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l agent-field -d 'Member that says who acted: a dotted path, as in all of these' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l session-by -d 'Members whose values keep sessions apart; may be repeated, or have commas between them' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l session-gap -d 'A pause longer than this starts a new session [default: 30m; none where the log has sessions of its own]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l action-field -d 'Member that says what was done, or a text with members in braces: "{eventSource}:{eventName}"' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l time-field -d 'Member that says when' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l time-unit -d 'What a number stands for that is a time: auto, s, ms, us or ns since 1970' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l label-field -d 'Member that holds the label; a session is anomalous if one of its events is [default: label]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l anomalous-label -d 'The value of the label that means anomalous, all others meaning normal [default: labels are 0 and 1]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l source-field -d 'Member that says where an event comes from, like a host, if that may have a clock of its own' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l risk-field -d 'Member that says how risky it was' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l risk-range -d 'From where to where that goes, like 0..100' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l records-at -d 'Member that holds the array of records, where a document has them neither at its top nor where its format says' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l id-field -d 'Member that tells events apart: one that comes again is dropped' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l skip-bad-lines -d 'Leave lines or records out that cannot be read, if they are no more than this share, like 1%' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l explain -d 'Say why: what each analysis contributes, and the actions and n-grams that weigh most'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l only-anomalies -d 'Write no answers for normal sequences'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l strict -d 'Stop at the first line that is not a sample'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l json -d 'Write JSON lines, whatever reads them'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -l normalize-names -d 'Replace numbers, addresses, UUIDs and hexadecimal digits in the names of actions'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand predict" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l model -d 'Let this trained model watch too; loaded anew when the file changes and on SIGHUP. May be given twice: one that learned from labels, and a normal-only one, which takes the place of the sequence rule' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l models-dir -d 'Let the current model of this directory watch; what is promoted or rolled back to takes over within a second' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l expect-digest -d 'Let no other model watch than the one with this digest' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l anomaly-threshold -d 'Score from which a sequence is labelled anomalous, or what it is chosen for, on what was left out of training: f1, recall=R, precision=R, false-alarms=R [default: the model\'s]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l base-rate -d 'Share of anomalous sequences where the model is used, if that is not what it was in training: corrects all scores' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l window -d 'Latest actions of a session that the model looks at' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l rules -d 'Which rules there are: ours, which an innocent stream that does not change does not set off, or those of the original' -r -f -a "default\t'Ours'
original\t'Those of the original, to the last alert'"
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l warm-up -d 'Sequence rule: be silent until there have been so many n-grams [default: always, but under the original rules]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l ngram-size -d 'Sequence rule: actions in an n-gram, 1 to 8' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l ngram-window -d 'Sequence rule: latest n-grams of all agents to compare with' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l smoothing -d 'Sequence rule: what is added to every count' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l sequence-threshold -d 'Sequence rule: score from which it alerts' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l frequency-events -d 'Frequency rule: actions of an agent within the window from which it alerts [default: 30, if that is unusual for this agent or for agents]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l frequency-window -d 'Frequency rule: length of the window' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l frequency-threshold -d 'Frequency rule: score from which it alerts' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l behavioral-actions -d 'Behavioural rule: actions of an agent from which it alerts [default: 10, if so many alike are unusual for agents]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l behavioral-concentration -d 'Behavioural rule: share of the commonest action above which it takes notice' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l behavioral-entropy -d 'Behavioural rule: normalised entropy below which it takes notice' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l behavioral-threshold -d 'Behavioural rule: score from which it alerts' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l drift-psi -d 'Distributional rule: population stability index above which it alerts' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l drift-kl -d 'Distributional rule: Kullback-Leibler divergence above which it alerts' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l drift-js -d 'Distributional rule: Jensen-Shannon distance above which it alerts' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l drift-scores -d 'Distributional rule: fewest risk scores of a cohort to compare' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l drift-every -d 'Distributional rule: risk scores of a cohort between two comparisons' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l drift-first -d 'Distributional rule: first risk scores of a cohort that become its baseline' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l drift-false-alarms -d 'Distributional rule: share of cohorts in which it may ever alert though nothing has changed; not under the original rules' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l cooldown -d 'How long further alerts of the same type for the same agent are held back after one, unless they are more severe' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l max-alerts -d 'Most alerts of an agent within an hour, but for more severe ones' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l reorder -d 'How long events wait for others that are older, to be put in order; 0 for not at all' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l max-agents -d 'Most agents to remember; one whose session has ended leaves first, then the one with the fewest actions' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l max-cohorts -d 'Most cohorts to remember; the one with the fewest events leaves first' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l max-actions -d 'Most names of actions to remember at once; further ones are taken for one, but for those that the model knows' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l top -d 'How many actions and n-grams the model\'s evidence names' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l baseline -d 'Distributional rule: take baselines from this file, which --write-baseline has written' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l write-baseline -d 'Write the risk scores of each cohort to this file at the end' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l ignore -d 'Pass over the alerts that this TOML file lists by agent, action, type and time; read anew on SIGHUP' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l state -d 'Go on from the state in this file if it is there, and save it there once a minute and at the end' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l metrics-file -d 'Keep figures about the run in this file, in the text format of Prometheus' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l input-format -d 'What the input is [default: what it begins like]: samples, events, otlp, chat, transcript, cloudtrail, auditd, csv, tsv' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l mapping -d 'File with the values of these options, without the dashes: `action_field = "{source}:{name}"`; an option here comes first' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l agent-field -d 'Member that says who acted: a dotted path, as in all of these' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l session-by -d 'Members whose values keep sessions apart; may be repeated, or have commas between them' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l session-gap -d 'A pause longer than this starts a new session [default: 30m; none where the log has sessions of its own]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l action-field -d 'Member that says what was done, or a text with members in braces: "{eventSource}:{eventName}"' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l time-field -d 'Member that says when' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l time-unit -d 'What a number stands for that is a time: auto, s, ms, us or ns since 1970' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l label-field -d 'Member that holds the label; a session is anomalous if one of its events is [default: label]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l anomalous-label -d 'The value of the label that means anomalous, all others meaning normal [default: labels are 0 and 1]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l source-field -d 'Member that says where an event comes from, like a host, if that may have a clock of its own' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l risk-field -d 'Member that says how risky it was' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l risk-range -d 'From where to where that goes, like 0..100' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l records-at -d 'Member that holds the array of records, where a document has them neither at its top nor where its format says' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l id-field -d 'Member that tells events apart: one that comes again is dropped' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l skip-bad-lines -d 'Leave lines or records out that cannot be read, if they are no more than this share, like 1%' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l cautious -d 'Keep a budget of --anomaly-threshold false-alarms=R in four of five draws of a few groups, and not only on average'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l exit-code -d 'End with 5 if there was an alert'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l follow -d 'Wait for more at the end of the file, and follow it when it is replaced or cut, like tail -F'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l strict -d 'Stop at the first line that is no event'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -l normalize-names -d 'Replace numbers, addresses, UUIDs and hexadecimal digits in the names of actions'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand monitor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l model -d 'The model file [default: the current model]' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l models-dir -d 'Where models are kept' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l data -d 'Labelled samples as JSON lines, or a log, plain, gzip or zstd; a folder stands for the files in it, "-" for standard input; may be repeated. Logs are read as they were in training' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l input-format -d 'What the input is [default: what it begins like]: samples, events, otlp, chat, transcript, cloudtrail, auditd, csv, tsv' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l mapping -d 'File with the values of these options, without the dashes: `action_field = "{source}:{name}"`; an option here comes first' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l agent-field -d 'Member that says who acted: a dotted path, as in all of these' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l session-by -d 'Members whose values keep sessions apart; may be repeated, or have commas between them' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l session-gap -d 'A pause longer than this starts a new session [default: 30m; none where the log has sessions of its own]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l action-field -d 'Member that says what was done, or a text with members in braces: "{eventSource}:{eventName}"' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l time-field -d 'Member that says when' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l time-unit -d 'What a number stands for that is a time: auto, s, ms, us or ns since 1970' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l label-field -d 'Member that holds the label; a session is anomalous if one of its events is [default: label]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l anomalous-label -d 'The value of the label that means anomalous, all others meaning normal [default: labels are 0 and 1]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l source-field -d 'Member that says where an event comes from, like a host, if that may have a clock of its own' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l risk-field -d 'Member that says how risky it was' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l risk-range -d 'From where to where that goes, like 0..100' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l records-at -d 'Member that holds the array of records, where a document has them neither at its top nor where its format says' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l id-field -d 'Member that tells events apart: one that comes again is dropped' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l skip-bad-lines -d 'Leave lines or records out that cannot be read, if they are no more than this share, like 1%' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l count-field -d 'Field that says how many samples a line stands for' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l group-by -d 'Field that names what belongs together, such as a task or a host, for the intervals [default: the sequence]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l anomaly-threshold -d 'Score from which a sequence is labelled anomalous, or what it is chosen for, on what was left out of training: f1, recall=R, precision=R, false-alarms=R [default: the model\'s]' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l base-rate -d 'Share of anomalous sequences where the model is used, if that is not what it was in training: corrects all scores' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l ece-bins -d 'Bins of the calibration error' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l report -d 'Also write a page with figures and drawings for people' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l mistakes -d 'Also write the samples that the model gets wrong, with line, id, group and explanation, one JSON object a line' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l threads -d 'Most threads to use [default: all]; never changes a result' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l normalize-names -d 'Replace numbers, addresses, UUIDs and hexadecimal digits in the names of actions'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l all-samples -d 'Make the tables and the page of all samples, also of those that the model was trained on'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -l json -d 'Write one JSON object instead of the tables'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand evaluate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand inspect" -l models-dir -d 'Where models are kept' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand inspect" -l top -d 'How many actions, n-grams and pairs to name for and against' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand inspect" -l json -d 'Write one JSON object instead of the tables'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand inspect" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand inspect" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand verify" -l models-dir -d 'Where models are kept' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand verify" -l data -d 'The files that the model was trained on; may be repeated, in the same order' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand verify" -l validation-data -d 'What the model was judged on, if it was a file of its own' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand verify" -l threads -d 'Most threads to use [default: all]; never changes a result' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand verify" -l quick -d 'Check the file alone; do not train again'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand verify" -l json -d 'Write one JSON object instead of lines'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand verify" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand verify" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand history" -l models-dir -d 'Where models are kept' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand history" -l json -d 'Write the lines of the record as they are'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand history" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand history" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand rollback" -l to -d 'Go back to this model, which was in use before: its path, or its file name [default: the model that the current one followed]' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand rollback" -l models-dir -d 'Where models are kept' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand rollback" -l json -d 'Write the line of the record by which the model is current instead of a sentence'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand rollback" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand rollback" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand promote" -l anomaly-threshold -d 'Give it another threshold: a model file of its own is made, which says what it comes from. A number, or f1, recall=R, precision=R, false-alarms=R' -r
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand promote" -l models-dir -d 'Where models are kept' -r -F
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand promote" -l json -d 'Write the line of the record by which the model is current instead of a sentence'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand promote" -s v -l verbose -d 'Say more on standard error; twice for even more (RUST_LOG works too)'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand promote" -s q -l quiet -d 'Say less: once for no report, twice for no warnings either'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand promote" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "train" -d 'Train and judge a model; the same as no command'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "generate" -d 'Write synthetic samples as JSON lines to standard output'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "check" -d 'Look at labelled data: what is there, and what stands against it'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "sessions" -d 'Write the samples that a log becomes, with the labels that people gave its sessions'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "predict" -d 'Score sequences, or the sessions of a log, with a trained model, and say why'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "monitor" -d 'Watch events as they come, and say what is anomalous'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "evaluate" -d 'Judge a trained model on labelled sequences'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "inspect" -d 'Show what is in a model file'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "verify" -d 'Check that a model file is whole, and that training again gives the same model'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "history" -d 'Show which models were promoted, refused and returned to'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "rollback" -d 'Make the model current again that the current one followed, or another earlier one'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "promote" -d 'Make a stored model current, also one that the gate refused'
complete -c anomaly-train -n "__fish_anomaly_train_using_subcommand help; and not __fish_seen_subcommand_from train generate check sessions predict monitor evaluate inspect verify history rollback promote help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
