"""One scheduled action sends: delete its copies, and the models of batches and of the turns of debtors.

The copies were made by a setting and are never updated, so they would go on sending. What was sent together follows
from the notices now: each names the first one of them. Who stopped a batch is in the logs of its notices already.
"""

COPIES = '^ir_cron_dunning_dispatch_[0-9]+(_ir_actions_server)?$'


def migrate(cr, version):
    # Also the server action of each, which has a name of its own.
    cr.execute(
        """
        DELETE FROM ir_model_data
         WHERE module = 'l10n_nl_dunning' AND name ~ %s
     RETURNING model, res_id
        """, [COPIES])
    rows = cr.fetchall()
    crons = [res_id for model, res_id in rows if model == 'ir.cron']
    cr.execute("DELETE FROM ir_cron WHERE id = ANY(%s) RETURNING ir_actions_server_id", [crons])
    actions = [action_id for [action_id] in cr.fetchall()]
    cr.execute("DELETE FROM ir_act_server WHERE id = ANY(%s)", [actions])
    # Rules are never updated either.
    cr.execute(
        """
        DELETE FROM ir_model_data
         WHERE module = 'l10n_nl_dunning' AND name IN ('dunning_turn_comp_rule', 'dunning_batch_comp_rule')
     RETURNING res_id
        """)
    cr.execute("DELETE FROM ir_rule WHERE id = ANY(%s)", [[rule_id for [rule_id] in cr.fetchall()]])
    cr.execute("DELETE FROM ir_config_parameter WHERE key = 'l10n_nl_dunning.parallel_senders'")

    cr.execute("SELECT to_regclass('dunning_batch')")
    if cr.fetchone()[0]:
        cr.execute("ALTER TABLE dunning_notice DROP CONSTRAINT IF EXISTS dunning_notice_batch_id_fkey")
        cr.execute(
            """
            UPDATE dunning_notice notice SET batch_id = batch.first_id
              FROM (SELECT batch_id, MIN(id) AS first_id FROM dunning_notice GROUP BY batch_id) batch
             WHERE notice.batch_id = batch.batch_id
            """)
    cr.execute("DROP TABLE IF EXISTS dunning_turn, dunning_batch")
