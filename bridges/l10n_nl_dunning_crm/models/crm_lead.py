from odoo import api, fields, models


class CrmLead(models.Model):
    _inherit = 'crm.lead'

    dunning_level_id = fields.Many2one(related='partner_id.dunning_level_id')
    dunning_text = fields.Text(string="How the Customer Pays", compute='_compute_dunning_text')

    @api.depends('partner_id', 'company_id')
    @api.depends_context('company', 'lang', 'dunning_at_date')
    def _compute_dunning_text(self):
        """What every colleague may know of the customer; the same few queries for any number of leads."""
        for company, leads in self.grouped(lambda lead: lead.company_id or self.env.company).items():
            facts = leads.partner_id._get_dunning_facts(company)
            for lead in leads:
                debtor = lead.partner_id.commercial_partner_id._origin
                sentences = debtor._explain_dunning_facts(facts[debtor.id]) if debtor else {}
                lead.dunning_text = "\n".join(sentences.values())
