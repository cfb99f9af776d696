from odoo import models

from odoo.addons.l10n_nl_dunning.models.kernel.formats import format_day

from .dunning_seller_news import MOST_NAMES


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def _explain_dunning_left(self, env, moves):
        """Return a sentence for a salesperson about what left.

        :param moves: which of the invoices are of this user
        """
        self.ensure_one()
        notice = self.with_env(env)
        values = {
            'customer': notice.partner_id.name, 'level': notice.level_id.name, 'day': format_day(env, notice.date),
            'channel': dict(notice._fields['channel']._description_selection(env))[notice.channel].lower()}
        if not moves:
            return env._("%(customer)s has been at level “%(level)s” since %(day)s (%(channel)s).", **values)
        names = [*moves[:MOST_NAMES].mapped('name'), *(['…'] if len(moves) > MOST_NAMES else [])]
        return env._(
            "%(customer)s has been at level “%(level)s” since %(day)s (%(channel)s). It is about your invoices: "
            "%(invoices)s.", **values, invoices=", ".join(names))

    def _explain_dunning_handed(self, env, _moves):
        """Return a sentence about to whom this debtor was handed over."""
        self.ensure_one()
        return env._(
            "%(customer)s was handed over to %(agency)s.", customer=self.partner_id.name, agency=self.agency_id.name)
