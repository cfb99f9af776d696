from odoo import models

# States of a notice that reached, or may have reached, a debtor.
LEFT_STATES = ('sent', 'withdrawn')


class ResCompany(models.Model):
    _inherit = 'res.company'

    def get_dunning_wrong_rate(self, date_from=None, date_to=None):
        """Return how many of the notices of these companies were wrong, in per cent (0.0 when none was sent).

        A notice is wrong when part of what it asked had been paid or credited before the day it left. Internal tasks
        are no notices to a debtor, and a payment dated on that day or later has crossed it: neither counts.

        :param date_from: first day on which the notices were dated; without it from the first notice on
        :param date_to: last day; without it until today
        :raise AccessError: to who may not read notices
        """
        wrong, total = self._count_dunning_wrong(date_from, date_to)
        return 100.0 * wrong / total if total else 0.0

    def _count_dunning_wrong(self, date_from=None, date_to=None):
        """Return (wrong, all) notices of these companies; the days as of :meth:`get_dunning_wrong_rate`."""
        domain = [('company_id', 'in', self.ids), ('state', 'in', LEFT_STATES), ('channel', '!=', 'task')]
        if date_from:
            domain.append(('date', '>=', date_from))
        if date_to:
            domain.append(('date', '<=', date_to))
        counts = dict(self.env['dunning.notice']._read_group(domain, ['is_wrong'], ['__count']))
        return counts.get(True, 0), sum(counts.values())
