from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "marketplace.contracts"
    verbose_name = "合同登记"

    def ready(self) -> None:
        from marketplace import guards

        from .children import ChildrenFrozen
        from .models import (
            Attribution,
            Certificate,
            Contract,
            ContractFile,
            Deduction,
            IPItem,
            Party,
            Registration,
            TurnoverEntry,
        )

        submitted = (
            'EXISTS (SELECT 1 FROM "contracts_registration" r WHERE r.contract_id = OLD.id '
            "AND r.state NOT IN ('draft', 'supplement'))"
        )
        # created_at, changed_at and version say nothing about the deal; everything else of a submitted form is frozen.
        free = {"id", "created_at", "changed_at", "version"}
        guards.register(
            guards.AppendOnly(TurnoverEntry, "turnover"),
            guards.AppendOnly(Certificate, "certificate"),
            guards.AppendOnly(Attribution, "attribution"),
            guards.FlowGuard(Registration, "registration", Registration.FLOW),
            guards.Frozen(
                Registration,
                "registration_number",
                ("registration_number", "registered_on", "contract_id", "office_id", "source", "form_number"),
                "OLD.state = 'registered'",
            ),
            ChildrenFrozen(Party, "party"),
            ChildrenFrozen(Deduction, "deduction"),
            ChildrenFrozen(IPItem, "ip_item"),
            ChildrenFrozen(ContractFile, "contract_file", spare="NEW.kind = 'expert'"),
            guards.Frozen(
                Contract,
                "contract",
                tuple(f.column for f in Contract._meta.fields if f.column not in free),
                submitted,
                held='1 FROM "contracts_registration" r WHERE r.contract_id = OLD.id',
            ),
        )
