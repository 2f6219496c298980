//! The tests of the whole: the program as it is run, and the library against values from elsewhere.

mod command_line;
mod common;
mod counts;
mod data_files;
mod evaluation;
mod events;
mod faults;
mod fit;
mod golden;
mod html_report;
mod monitor;
mod monitor_end;
mod monitor_follow;
mod monitor_limits;
mod monitor_reference;
mod monitor_runs;
mod output_files;
mod prediction;
mod promotion;
mod readme;
mod reference_metrics;
mod reference_model;
mod reference_scores;
mod storage;
mod training;
mod verify;
