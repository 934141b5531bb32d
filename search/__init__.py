"""How what is published is found, and how demand and supply are brought together.

search knows cms; nothing here knows the marketplace. Others may import:

`search.query`      Document, Query, Results, Hit; FACETS, ORDERINGS, the bands of the facets; `levels`, `term_of` for
codes `search.engines`    `get_engine()`, EngineDown (answer from the database and say so), EngineUnavailable
`search.matching`   `candidates(listing)` → Candidate: record, rank, score, parts, band, reasons, versions
`search.reasons`    Reasons and its `as_json()`, the bands STRONG, POSSIBLE, WEAK
`search.resolve`    `resolve(typed, user)` before the engine is asked; `resolvers.register(callable)` for organisations
`search.sources`    `register(kind, queryset, to_document)`: a higher app makes its own kind findable, from its
`ready()` `search.changes`    `record(kind=, key=, version=)` in the transaction; `sweep`, `drain`, `waiting`,
`is_settled`, `reconcile`,
                    `without_nudges` for bulk intake
`search.text`       `highlights(text, typed)`, `excerpt(text, spans)`: what to mark, as (start, end) of the original
text

A page of a list::

    asked = Query(text=q, kinds=["achievement"], filters={"technology_field": ["06"], "region": ["150600"]},
                  ranges={"trl": (7, None)}, facets=["technology_field", "trl_band", "price_band"], page=page)
    if (named := resolve(q, request.user)) and len(named) == 1 and named[0].url:
        return redirect(named[0].url)
    try:
        results = get_engine().find(asked)
    except EngineDown:
        return page_from_database(filterset.qs)     # with a notice
    rows = Achievement.objects.visible_to(request.user).filter(record__number__in=results.ids)   # once more, always
    by_number = {row.number: row for row in rows.with_related()}
    shown = [by_number[hit.id] for hit in results.hits if hit.id in by_number]
    # results.total, results.facets["technology_field"] == {"06": 31, "0605": 12}, results.relaxed, results.index_time
"""
