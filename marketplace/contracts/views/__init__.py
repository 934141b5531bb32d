"""Pages of contracts: the applicant's form (form), the contract and its files (contract), the office (registrar), the
public register and the certificate check (public)."""
