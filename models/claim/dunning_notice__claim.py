from odoo import models


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def _update_claim(self, at_date):
        """Write down the interest and collection costs that these notices ask on ``at_date``, in batches."""
        levels = self.level_id.filtered(lambda level: level._is_claiming())
        claiming = self.filtered(lambda notice: notice.level_id in levels) if levels else self.browse()
        if len(claiming) < len(self):
            # What was booked is owed by the books, whatever a level asks.
            claiming |= self.env['dunning.claim']._get_booked(self)
        for company, notices in claiming.grouped('company_id').items():
            claims = self.env['dunning.claim'].with_company(company)._compute_for_notices(notices, at_date)
            for notice in notices._recording():
                notice._write_claim(claims[notice.id])

    def _write_claim(self, claim):
        self.ensure_one()
        by_item = {item.item_id: item for item in claim.items}
        for line in self.live_line_ids:
            item = by_item[line.move_line_id.id]
            vals = {
                'amount_interest': float(item.interest),
                'amount_costs': float(item.costs),
                'amount_announced': float(item.announced),
            }
            if any(self.currency_id.compare_amounts(line[name], amount) for name, amount in vals.items()):
                line.write(vals)
        data = claim.to_json()
        if self.claim_data != data:
            self.claim_data = data
