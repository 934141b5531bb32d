"""What the search costs, measured in a scratch market together with a reference in the same run.

    scratch.py     the market: a folder of its own, filled by `load_synthetic`, asked in child processes
    questions.py   what is asked: a seeded mix, made of the market's own titles
    bare.py        the reference: the same question given to the engine's library without ours around it
    searching.py, matching.py, indexing.py    one bench each: `measure(…) -> Figures`

The command `bench` runs them; `python manage.py bench search --scale 100000 --json`.
"""
