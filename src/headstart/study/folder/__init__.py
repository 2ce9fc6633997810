"""The folder of a study: its files, which module says what is in them, and who writes them.

Only the process that holds the folder (`files.locks`) writes. `writer` writes what runs have to
say; what is not of one run is written when a study begins or ends.

    DIR/study.yaml              `store`         the resolved study; when the folder is claimed
    DIR/modules/                `part_files`    copies of the user's own modules; as a study begins
    DIR/starts/contents.json    `part_files`    sha256s of the files of parts; as a study begins
    DIR/starts/notes.json       `part_files`    what is to be known of starts; as a study begins
    DIR/starts/*.safetensors    `beginnings`    weights that starts are made of; `writer`, when made
    DIR/runs/<key>/
        checkpoint.safetensors  `saved`         the state of a run under way; `writer`, now and then
        measured.journal        `saved`         its rows and kept weights; `writer`, beside that
        best.safetensors        `best`          the weights of its best round; `writer`, beside that
        failed.json             `failed`        why it failed; `writer`, until it is done
        measured.json           `added_probes`  which run lacks only probes; as a study is resumed
        rounds.parquet          `store`         round, metric, value; `writer`, at the end
        weights.safetensors     `stream`        what it ended with; `writer`, at the end
        run.json                `record`        what it was and what came of it; `writer`, last
        state.safetensors       `saved`         the last checkpoint, which longer runs go on from
    DIR/tuning/<key>/<k>.json   `trials`        the k-th trial of a search; `writer`, when it ends
    DIR/executors.json          `executor_choice`  what `auto` chose, with the seconds
    DIR/results/*.parquet       `store`         the tables of all runs, rounds and trials; as a
                                                study begins and ends
    DIR/results/looks.parquet   `looks.record`  what was decided, look by look; with those
    DIR/results/rates.yaml      `best_rates`    the best rates, where several were tried; with those

`outcome` counts what came of a run from its rounds; `earlier_tables` finds in the tables of before
what need not be read again from a run's files.
"""
