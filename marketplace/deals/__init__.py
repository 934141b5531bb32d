"""Matches that are kept, inquiries, deals and offers.

Others may import
- `models`: Match, Comparison, Inquiry, Deal, Offer, SHARES, DECLINE_REASONS;
- `services`: every act (suggest, work_off_due, inquire, accept, decline, recall, lapse, offer, accept_offer,
  decline_offer, plan_next, lose, mark_signed, mark_registered, win);
- `selectors`: public_matches, matches_for, may_work_on, columns, waiting_for;
- the template `deals/_matches.html`, which draws a `selectors.MatchList` as a section of a page.
"""
