def migrate(cr, version):
    """“Approved” means that a person let a notice go: what the program put into the queue was approved by nobody."""
    cr.execute("""
        UPDATE dunning_notice
           SET approved = (approver_id IS NOT NULL),
               approved_on = CASE WHEN approver_id IS NOT NULL THEN approved_on END
         WHERE approved IS DISTINCT FROM (approver_id IS NOT NULL) OR (approver_id IS NULL AND approved_on IS NOT NULL)
    """)
