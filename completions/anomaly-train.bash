_anomaly__train() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="anomaly__train"
                ;;
            anomaly__train,check)
                cmd="anomaly__train__subcmd__check"
                ;;
            anomaly__train,evaluate)
                cmd="anomaly__train__subcmd__evaluate"
                ;;
            anomaly__train,generate)
                cmd="anomaly__train__subcmd__generate"
                ;;
            anomaly__train,help)
                cmd="anomaly__train__subcmd__help"
                ;;
            anomaly__train,history)
                cmd="anomaly__train__subcmd__history"
                ;;
            anomaly__train,inspect)
                cmd="anomaly__train__subcmd__inspect"
                ;;
            anomaly__train,monitor)
                cmd="anomaly__train__subcmd__monitor"
                ;;
            anomaly__train,predict)
                cmd="anomaly__train__subcmd__predict"
                ;;
            anomaly__train,promote)
                cmd="anomaly__train__subcmd__promote"
                ;;
            anomaly__train,rollback)
                cmd="anomaly__train__subcmd__rollback"
                ;;
            anomaly__train,sessions)
                cmd="anomaly__train__subcmd__sessions"
                ;;
            anomaly__train,train)
                cmd="anomaly__train__subcmd__train"
                ;;
            anomaly__train,verify)
                cmd="anomaly__train__subcmd__verify"
                ;;
            anomaly__train__subcmd__help,check)
                cmd="anomaly__train__subcmd__help__subcmd__check"
                ;;
            anomaly__train__subcmd__help,evaluate)
                cmd="anomaly__train__subcmd__help__subcmd__evaluate"
                ;;
            anomaly__train__subcmd__help,generate)
                cmd="anomaly__train__subcmd__help__subcmd__generate"
                ;;
            anomaly__train__subcmd__help,help)
                cmd="anomaly__train__subcmd__help__subcmd__help"
                ;;
            anomaly__train__subcmd__help,history)
                cmd="anomaly__train__subcmd__help__subcmd__history"
                ;;
            anomaly__train__subcmd__help,inspect)
                cmd="anomaly__train__subcmd__help__subcmd__inspect"
                ;;
            anomaly__train__subcmd__help,monitor)
                cmd="anomaly__train__subcmd__help__subcmd__monitor"
                ;;
            anomaly__train__subcmd__help,predict)
                cmd="anomaly__train__subcmd__help__subcmd__predict"
                ;;
            anomaly__train__subcmd__help,promote)
                cmd="anomaly__train__subcmd__help__subcmd__promote"
                ;;
            anomaly__train__subcmd__help,rollback)
                cmd="anomaly__train__subcmd__help__subcmd__rollback"
                ;;
            anomaly__train__subcmd__help,sessions)
                cmd="anomaly__train__subcmd__help__subcmd__sessions"
                ;;
            anomaly__train__subcmd__help,train)
                cmd="anomaly__train__subcmd__help__subcmd__train"
                ;;
            anomaly__train__subcmd__help,verify)
                cmd="anomaly__train__subcmd__help__subcmd__verify"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        anomaly__train)
            opts="-v -q -h -V --model-type --num-samples --scenario --data --input-format --mapping --agent-field --session-by --session-gap --action-field --time-field --time-unit --label-field --anomalous-label --source-field --risk-field --risk-range --records-at --id-field --normalize-names --skip-bad-lines --validation-data --folds --train-ratio --split-strategy --group-by --count-field --normal-only --drop-anomalous --window --ngram-size --anomaly-threshold --epochs --batch-size --seed --l2 --calibrate --learning-rate --max-ngrams --promotion-max-ece --promotion-min-accuracy --promotion-min-recall --promotion-min-precision --promotion-max-false-alarms --promotion-min-average-precision --promotion-max-regression --no-champion --ece-bins --report --models-dir --require-promotion --threads --json --verbose --quiet --help --version train generate check sessions predict monitor evaluate inspect verify history rollback promote help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --model-type)
                    COMPREPLY=($(compgen -W "anomaly" -- "${cur}"))
                    return 0
                    ;;
                --num-samples)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --scenario)
                    COMPREPLY=($(compgen -W "documented mixed" -- "${cur}"))
                    return 0
                    ;;
                --data)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --input-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mapping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --agent-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-gap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --action-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --label-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomalous-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --records-at)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --id-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-bad-lines)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --validation-data)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --folds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --train-ratio)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --split-strategy)
                    COMPREPLY=($(compgen -W "stratified random temporal grouped" -- "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --count-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --window)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ngram-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomaly-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --epochs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --batch-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --seed)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --l2)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --calibrate)
                    COMPREPLY=($(compgen -W "auto none sequence group" -- "${cur}"))
                    return 0
                    ;;
                --learning-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-ngrams)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-max-ece)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-min-accuracy)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-min-recall)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-min-precision)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-max-false-alarms)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-min-average-precision)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-max-regression)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ece-bins)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --report)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__check)
            opts="-v -q -h --input-format --mapping --agent-field --session-by --session-gap --action-field --time-field --time-unit --label-field --anomalous-label --source-field --risk-field --risk-range --records-at --id-field --normalize-names --skip-bad-lines --group-by --count-field --normal-only --model --report --threads --json --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --input-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mapping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --agent-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-gap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --action-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --label-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomalous-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --records-at)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --id-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-bad-lines)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --count-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --model)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --report)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__evaluate)
            opts="-v -q -h --model --models-dir --data --input-format --mapping --agent-field --session-by --session-gap --action-field --time-field --time-unit --label-field --anomalous-label --source-field --risk-field --risk-range --records-at --id-field --normalize-names --skip-bad-lines --count-field --group-by --anomaly-threshold --base-rate --all-samples --ece-bins --report --mistakes --threads --json --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --model)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --data)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --input-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mapping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --agent-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-gap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --action-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --label-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomalous-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --records-at)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --id-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-bad-lines)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --count-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomaly-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --base-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ece-bins)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --report)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mistakes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__generate)
            opts="-v -q -h --num-samples --seed --scenario --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --num-samples)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --seed)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --scenario)
                    COMPREPLY=($(compgen -W "documented mixed" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help)
            opts="train generate check sessions predict monitor evaluate inspect verify history rollback promote help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__check)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__evaluate)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__generate)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__help)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__history)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__inspect)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__monitor)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__predict)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__promote)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__rollback)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__sessions)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__train)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__help__subcmd__verify)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__history)
            opts="-v -q -h --models-dir --json --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__inspect)
            opts="-v -q -h --models-dir --top --json --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__monitor)
            opts="-v -q -h --model --models-dir --expect-digest --anomaly-threshold --base-rate --window --rules --warm-up --ngram-size --ngram-window --smoothing --sequence-threshold --frequency-events --frequency-window --frequency-threshold --behavioral-actions --behavioral-concentration --behavioral-entropy --behavioral-threshold --drift-psi --drift-kl --drift-js --drift-scores --drift-every --drift-first --drift-false-alarms --cooldown --max-alerts --reorder --max-agents --max-cohorts --max-actions --cautious --top --baseline --write-baseline --ignore --exit-code --state --metrics-file --follow --strict --input-format --mapping --agent-field --session-by --session-gap --action-field --time-field --time-unit --label-field --anomalous-label --source-field --risk-field --risk-range --records-at --id-field --normalize-names --skip-bad-lines --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --model)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expect-digest)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomaly-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --base-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --window)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --rules)
                    COMPREPLY=($(compgen -W "default original" -- "${cur}"))
                    return 0
                    ;;
                --warm-up)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ngram-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ngram-window)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --smoothing)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sequence-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --frequency-events)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --frequency-window)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --frequency-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --behavioral-actions)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --behavioral-concentration)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --behavioral-entropy)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --behavioral-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --drift-psi)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --drift-kl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --drift-js)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --drift-scores)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --drift-every)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --drift-first)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --drift-false-alarms)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-alerts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reorder)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-agents)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-cohorts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-actions)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --baseline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --write-baseline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ignore)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --metrics-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --input-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mapping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --agent-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-gap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --action-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --label-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomalous-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --records-at)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --id-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-bad-lines)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__predict)
            opts="-v -q -h --model --models-dir --sequence --anomaly-threshold --base-rate --explain --top --only-anomalies --strict --format --json --threads --input-format --mapping --agent-field --session-by --session-gap --action-field --time-field --time-unit --label-field --anomalous-label --source-field --risk-field --risk-range --records-at --id-field --normalize-names --skip-bad-lines --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --model)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sequence)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomaly-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --base-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "auto table json" -- "${cur}"))
                    return 0
                    ;;
                --threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --input-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mapping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --agent-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-gap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --action-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --label-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomalous-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --records-at)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --id-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-bad-lines)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__promote)
            opts="-v -q -h --anomaly-threshold --models-dir --json --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --anomaly-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__rollback)
            opts="-v -q -h --to --models-dir --json --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__sessions)
            opts="-v -q -h --labels --input-format --mapping --agent-field --session-by --session-gap --action-field --time-field --time-unit --label-field --anomalous-label --source-field --risk-field --risk-range --records-at --id-field --normalize-names --skip-bad-lines --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --labels)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --input-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mapping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --agent-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-gap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --action-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --label-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomalous-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --records-at)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --id-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-bad-lines)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__train)
            opts="-v -q -h --model-type --num-samples --scenario --data --input-format --mapping --agent-field --session-by --session-gap --action-field --time-field --time-unit --label-field --anomalous-label --source-field --risk-field --risk-range --records-at --id-field --normalize-names --skip-bad-lines --validation-data --folds --train-ratio --split-strategy --group-by --count-field --normal-only --drop-anomalous --window --ngram-size --anomaly-threshold --epochs --batch-size --seed --l2 --calibrate --learning-rate --max-ngrams --promotion-max-ece --promotion-min-accuracy --promotion-min-recall --promotion-min-precision --promotion-max-false-alarms --promotion-min-average-precision --promotion-max-regression --no-champion --ece-bins --report --models-dir --require-promotion --threads --json --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --model-type)
                    COMPREPLY=($(compgen -W "anomaly" -- "${cur}"))
                    return 0
                    ;;
                --num-samples)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --scenario)
                    COMPREPLY=($(compgen -W "documented mixed" -- "${cur}"))
                    return 0
                    ;;
                --data)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --input-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mapping)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --agent-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --session-gap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --action-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --time-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --label-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomalous-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --risk-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --records-at)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --id-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-bad-lines)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --validation-data)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --folds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --train-ratio)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --split-strategy)
                    COMPREPLY=($(compgen -W "stratified random temporal grouped" -- "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --count-field)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --window)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ngram-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anomaly-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --epochs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --batch-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --seed)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --l2)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --calibrate)
                    COMPREPLY=($(compgen -W "auto none sequence group" -- "${cur}"))
                    return 0
                    ;;
                --learning-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-ngrams)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-max-ece)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-min-accuracy)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-min-recall)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-min-precision)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-max-false-alarms)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-min-average-precision)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --promotion-max-regression)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ece-bins)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --report)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        anomaly__subcmd__train__subcmd__verify)
            opts="-v -q -h --models-dir --data --validation-data --quick --threads --json --verbose --quiet --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --models-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --data)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --validation-data)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --threads)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _anomaly__train -o nosort -o bashdefault -o default anomaly-train
else
    complete -F _anomaly__train -o bashdefault -o default anomaly-train
fi
