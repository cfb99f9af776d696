"""Whose debtors they are: the collector of a debtor, and who answers for him while he is away."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import format_date

from ..kernel.groups import ACCOUNTING


class DunningAbsence(models.Model):
    """Days on which a collector is away, and the colleague on whose worklist his debtors are then.

    Nothing is written on the debtors: when the days are over they are his again.
    """

    _name = 'dunning.absence'
    _description = "Absence of a Collector"
    _order = 'date_from desc, id desc'
    _rec_name = 'user_id'

    user_id = fields.Many2one(
        comodel_name='res.users', string="Collector", required=True, index=True, ondelete='cascade',
        default=lambda self: self.env.user, domain="[('share', '=', False)]")
    cover_id = fields.Many2one(
        comodel_name='res.users', string="Covered By", required=True, index=True, ondelete='cascade',
        domain="[('share', '=', False), ('id', '!=', user_id)]")
    date_from = fields.Date(string="First Day", required=True, default=lambda self: self.env.company._dunning_today())
    date_to = fields.Date(string="Last Day", required=True)

    _check_dates = models.Constraint(
        'CHECK(date_from <= date_to)',
        "The last day of an absence lies on or after the first.",
    )
    _check_cover = models.Constraint(
        'CHECK(user_id <> cover_id)',
        "Nobody covers for himself: choose a colleague.",
    )

    @api.constrains('user_id', 'date_from', 'date_to')
    def _check_overlap(self):
        for absence in self:
            other = self.search(
                Domain('id', '!=', absence.id) & Domain('user_id', '=', absence.user_id.id)
                & Domain('date_from', '<=', absence.date_to) & Domain('date_to', '>=', absence.date_from), limit=1)
            if other:
                raise ValidationError(self.env._(
                    "%(user)s is already away from %(start)s to %(end)s, covered by %(cover)s. Change that absence.",
                    user=absence.user_id.name, cover=other.cover_id.name,
                    start=format_date(self.env, other.date_from), end=format_date(self.env, other.date_to)))

    @api.constrains('cover_id')
    def _check_cover_id(self):
        """Who covers must be able to see the worklist."""
        for absence in self:
            if not absence.cover_id.sudo().has_groups(ACCOUNTING):  # sudo: whether a colleague works in accounting
                raise ValidationError(self.env._(
                    "%(user)s does not work in accounting, so cannot see the worklist. Choose another colleague.",
                    user=absence.cover_id.name))

    @api.model
    def _get_covers(self, at_date):
        """Return ``{user id: id of who answers for him on that day}`` of the collectors who are away.

        Who covers may be away as well: then it is whoever covers for him. Where everybody of such a chain is away,
        nobody answers for the others.
        """
        # sudo: that a colleague is away is known to whoever shares the worklist with him
        absences = self.sudo().search(
            Domain('date_from', '<=', at_date) & Domain('date_to', '>=', at_date)
            & Domain('cover_id.active', '=', True))
        direct = {absence.user_id.id: absence.cover_id.id for absence in absences}
        covers = {}
        for user in direct:
            seen, cover = {user}, direct[user]
            while cover in direct and cover not in seen:
                seen.add(cover)
                cover = direct[cover]
            if cover not in seen:
                covers[user] = cover
        return covers
