"""Guard for the rows that belong to a submitted form: parties, deductions, rights and files are as frozen as the
form."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.guards import Guard

STATES = "('draft', 'supplement')"


@dataclass(frozen=True)
class ChildrenFrozen(Guard):
    """No INSERT, UPDATE or DELETE of a contract's rows once its form is out of the applicant's hands.

    Before the registration row exists (imports write parties first) nothing is frozen. `spare` is an SQL condition
    on the new row that may still be inserted: an expert's paper comes in while the form lies with the office.
    """

    spare: str = ""

    def _frozen(self, row: str) -> str:
        return (
            f'EXISTS (SELECT 1 FROM "contracts_registration" r WHERE r.contract_id = {row}.contract_id '  # noqa: S608
            f"AND r.state NOT IN {STATES})"
        )

    def _insert(self) -> str:
        return self._frozen("NEW") + (f" AND NOT ({self.spare})" if self.spare else "")

    def sqlite(self) -> dict[str, str]:
        say = f"BEGIN SELECT RAISE(ABORT, '{self.name}: the form was submitted'); END"
        return {
            f"{self.name}_no_insert": f'BEFORE INSERT ON "{self.table}" WHEN {self._insert()} {say}',
            f"{self.name}_no_update": f'BEFORE UPDATE ON "{self.table}" WHEN {self._frozen("OLD")} {say}',
            f"{self.name}_no_delete": f'BEFORE DELETE ON "{self.table}" WHEN {self._frozen("OLD")} {say}',
        }

    def postgresql(self) -> dict[str, tuple[str, str]]:
        def held(row: str) -> str:
            # Waits for one who is just submitting, and makes him wait: without it each sees only the state before.
            return f'PERFORM 1 FROM "contracts_registration" r WHERE r.contract_id = {row}.contract_id FOR SHARE; '

        say = (
            f"THEN RAISE EXCEPTION '{self.name}: the form was submitted' "
            "USING ERRCODE = 'integrity_constraint_violation'; END IF;"
        )
        return {
            f"{self.name}_no_insert": (
                f'BEFORE INSERT ON "{self.table}" FOR EACH ROW',
                f"{held('NEW')}IF {self._insert()} {say} RETURN NEW;",
            ),
            f"{self.name}_no_update": (
                f'BEFORE UPDATE ON "{self.table}" FOR EACH ROW',
                f"{held('OLD')}IF {self._frozen('OLD')} {say} RETURN NEW;",
            ),
            f"{self.name}_no_delete": (
                f'BEFORE DELETE ON "{self.table}" FOR EACH ROW',
                f"{held('OLD')}IF {self._frozen('OLD')} {say} RETURN OLD;",
            ),
        }
