"""What was signed, its way through the office, the certificate, and the ledger that every figure is read from."""

from .codes import ContractType, IPType, PartyNature, PaymentMethod, PlanSource, RefusalReason, SocialObjective
from .contract import Contract, ContractFile, Deduction, IPItem, Party
from .ledger import Attribution, Certificate, TurnoverEntry
from .office import NumberCounter, Office, Officer, OfficeTerritory
from .registration import ExpertOpinion, Registration, ReviewMark, RuleSet

__all__ = [
    "Attribution",
    "Certificate",
    "Contract",
    "ContractFile",
    "ContractType",
    "Deduction",
    "ExpertOpinion",
    "IPItem",
    "IPType",
    "NumberCounter",
    "Office",
    "OfficeTerritory",
    "Officer",
    "Party",
    "PartyNature",
    "PaymentMethod",
    "PlanSource",
    "RefusalReason",
    "Registration",
    "ReviewMark",
    "RuleSet",
    "SocialObjective",
    "TurnoverEntry",
]
