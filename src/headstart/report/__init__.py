"""The report of a study: from the tables of its folder to pages that a person can act on. Never
imports torch.

What stands on the page of a study, from the top, and the module that says it. `judgement.reading`
computes all of it once, and `pages.study_page` writes it, with `figures/` and `tables/`.

    Where to begin              `verdict.where`
    With what                   `verdict.which`
    How sure                    `verdict.sureness`
    At what cost                `verdict.cost`
    Why                         `verdict.reasons`
    What is left                `verdict.outlook`
    To use it, a study file     `verdict.choice`
    the picture beside these    `appendix.best_of_starts`
    what is not judged          `judgement.consequences`
    the notes and warnings      `judgement.cautions`
    At a glance                 `judgement.findings`
    a panel                     `panels`, a question a module; its numbers: `measures`
    Not asked here              `judgement.asked`
    What training is held against, Alone, federated, or all rows in one place
                                `appendix.baselines`
    Over clients and classes    `appendix.shares`
    What differed between starts, Rates that were tried
                                `appendix.rates`
    How the rates were tuned    `appendix.tuning`
    what diverged               `appendix.completeness`
    How it was run              `appendix.settings`
    report.sha256               `written_files`
"""
