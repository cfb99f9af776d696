def migrate(cr, version):
    """Each notice that left says what the debtor was treated as.

    What it was worked out for, else what its policy is meant for, else what the debtor is treated as today.
    """
    cr.execute("""
        UPDATE dunning_notice notice
           SET debtor_type = COALESCE(
                   notice.claim_data->>'debtor_type',
                   CASE WHEN policy.debtor_type = 'consumer' THEN 'consumer'
                        WHEN policy.debtor_type = 'business'
                             THEN CASE debtor.dunning_debtor_type WHEN 'government' THEN 'government'
                                       ELSE 'business' END END,
                   debtor.dunning_debtor_type,
                   CASE WHEN debtor.is_company OR TRIM(debtor.vat, ' /-') <> ''
                             OR TRIM(debtor.company_registry, ' /-') <> ''
                        THEN 'business' ELSE 'consumer' END)
          FROM dunning_level level, dunning_policy policy, res_partner debtor
         WHERE notice.state IN ('todo', 'to_post', 'sent', 'undelivered', 'withdrawn')
           AND notice.debtor_type IS NULL
           AND level.id = notice.level_id AND policy.id = level.policy_id AND debtor.id = notice.partner_id
    """)
