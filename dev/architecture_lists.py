"""The lists of dev/architecture.py: the names of core, and the hooks between packages."""

#: Methods of core: each package may extend them with `super()`. A check compares them with Odoo itself.
CORE_METHODS = frozenset("""
    _build_email__ _commercial_fields _compute_access_url _compute_display_name _compute_render_model _field_to_sql
    _file_write _load_records_create _message_route_process _order_field_to_sql _postprocess_sent_message
    _prepare_create_values _prepare_outgoing_list _register_hook _update_field_translations _update_foreign_keys
    copy copy_data create default_get fields_get get_view init message_update onchange read set_values unlink
    web_search_read write
""".split())  # noqa: SIM905 (words read better than a list of strings)

#: Names that core or a library gives to something as well: who uses one need not mean ours.
COMMON_NAMES = CORE_METHODS | frozenset("""
    _replace active amount_residual amount_total category contact_id date_maturity fetch lang line_ids message_id
    partner_id res_id res_model warning
""".split())  # noqa: SIM905

#: ``{"model.method": reason}``: a package may extend this method of a package before it.
HOOKS = {
    "account.partial.reconcile._follow_dunning_match": "what follows from a match: level, corrections, promises",
    "account.partial.reconcile._get_dunning_item_models": "which models have records about due items",
    "dunning.claim._get_claimers": "an arrangement books interest and costs as a notice does",
    "dunning.claim._get_specification_data": "a claim is handed over without what an agency may not ask",
    "dunning.claim._get_told_sql": "what both sides signed was claimed, as what a notice asked was",
    "dunning.claim._read_reductions": "what is not claimed today follows from what the planner nets and holds",
    "dunning.debtor.mail._get_lang": "a mixin: each record knows the language of its debtor",
    "dunning.debtor._prepare_screen_amounts": "the sum on the debtor's page stands beside what can be collected",
    "dunning.hold._take_back_notices": "the dispatcher judges again what waits when something is put on hold",
    "dunning.hold._tell_owners": "a promise and an arrangement tell by themselves how they ended",
    "dunning.imputation._get_document_queries": "arrangements and promises ask sums as letters do",
    "dunning.letter._prepare_letters": "an e-mail links to the page of the debtor",
    "dunning.notice._mark_undelivered": "what nobody received claimed nothing: its bookings are credited",
    "dunning.notice._get_sent_steps": "what follows from a notice that left: booked costs, interrupted prescription",
    "dunning.notice._write_by_user": "what follows for a proposal that a user changes",
    "dunning.notice._get_contacts_sql": "a call is a contact of the week as well",
    "dunning.planner._reason_booked_extra": "also what an arrangement booked is asked with its invoices",
    "dunning.recorded._check_frozen_files": "each model says which of its files are a proof",
    "dunning.recorded._check_unlink": "each model says what may be deleted, and when",
    "dunning.recorded._check_user_create": "holds are placed by hand",
    "dunning.recorded._check_user_write": "each model says what a user may change, and when",
    "dunning.recorded._get_frozen_message": "each model says what to do instead",
    "dunning.recorded._refuse": "a call asks for access first: who may not read it is told that",
    "dunning.recorded._sees_whole": "a notice can be about companies that the user does not work for",
    "dunning.recorded._write_by_user": "each model says what is checked before and follows after a change by hand",
    "res.partner._get_careful": "of several ladders of a debtor the slowest is the most careful",
    "dunning.run._get_plan_steps": "the night of promises and arrangements",
}
