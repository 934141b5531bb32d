"""Technology brokers and their mandates.

Others may import `models` (Broker, Mandate), `services` (give_mandate, accept_mandate, revoke_mandate) and `selectors`
(broker_of, mandates_of, clients_of, is_broker_for, in_force_for, waiting_for).
"""
