"""Technology contracts: the form, its way through the registration office, the certificate, and the ledger.

Offered to others: `models`; `services` (draft, draft_by_hand, fill, attach, submit, accept, reject_form, mark,
ask_supplement, supply, pass_first, escalate, conclude, return_to_first, recognise, refuse); `rules.findings`;
`ledger.post`; `imports.import_registered`; `selectors` (waiting_for, trail, public_row); `certificates.printed`.
"""
