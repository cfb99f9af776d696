"""The words of texts got names for people: the translations of their old ones would stay."""

WORDS = (
    'contact_text', 'privacy_text', 'amount_text', 'asked_text', 'date_text', 'deadline_text', 'term_text',
    'history_text', 'principal_text', 'held_text', 'interest_text', 'interest_per_day_text', 'interest_name',
    'interest_law', 'rate_text', 'costs_text', 'interest_since_text', 'interest_principal_text', 'fourteen_day_text',
    'costs_since_text', 'costs_announced_text', 'total_after_term_text', 'vat_sentence', 'mail_items', 'mail_payment',
    'mail_sender',
)


def migrate(cr, version):
    cr.execute("""
        UPDATE ir_model_fields SET field_description = jsonb_build_object('en_US', field_description->>'en_US')
         WHERE model = 'dunning.notice' AND name IN %s
    """, [WORDS])
