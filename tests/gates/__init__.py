"""The acceptance gates: each puts a market of its own through one kind of trouble and judges what is left of it.

    manage.py accept NAME [--seed N] [--scale X] [--db …] [--engine …] [--sabotage NAME | --all-sabotage]

    gate.py      what a gate is, what a run of one keeps, and how it says what it found
    running.py   one gate, all gates, or each sabotage in turn; nothing outlives it
    world.py     a scratch market: database, engine, site and other processes, all started here and ended here
    child.py     the entry of every process under test; `shim.py` is what a sabotage changes in it
    load.py      20 acts a second through the real services, each written into a journal before and after
    judge.py     what the database says should be found, and what the index really holds: SQL and raw reads, none of
                 the product's own comparing
    prober.py    somebody who searches over HTTP all the while
    proxy.py     a faulty network between the engine and Elasticsearch
    search_death.py, es_outage.py, outage_embedded.py, reindex_live.py, task_chaos.py   the gates

The product has no switches for any of this: a sabotage replaces one function in the process under test, to prove that
the gate would notice.
"""
