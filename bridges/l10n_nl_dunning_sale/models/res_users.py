from odoo import fields, models


class ResUsers(models.Model):
    _inherit = 'res.users'

    dunning_news = fields.Selection(
        selection=[('activity', "To-do at once"), ('weekly', "Weekly e-mail"), ('none', "Nothing")],
        string="Customers Who Pay Late", default='activity', required=True,
        help="How a salesperson learns that a customer reached a level, was handed over, broke an arrangement or paid. "
             "From which level on stands on the dunning policy.")

    @property
    def SELF_READABLE_FIELDS(self):
        return super().SELF_READABLE_FIELDS + ['dunning_news']

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return super().SELF_WRITEABLE_FIELDS + ['dunning_news']

    def _wants_dunning_news(self, company):
        """Return whether this user is told about customers of a company."""
        self.ensure_one()
        return self.active and self._is_internal() and self.dunning_news != 'none' and bool(
            company._get_dunning_companies() & self.company_ids)
