"""The daily check: whoever handles a debtor hears in time that a claim is about to prescribe."""

from collections import defaultdict

from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_amount

from ..kernel.formats import format_day

# Months before the last day on which somebody is told.
WARN_MONTHS = (6, 3)
# Activities that one user gets in one day; what is more is told in a single one that points to the list.
MAX_ACTIVITIES = 20


class DunningPrescriptionWarning(models.Model):
    """That somebody was told when an item prescribes: the memory of the daily check, so that nobody is told twice."""

    _name = 'dunning.prescription.warning'
    _description = "Warning of Prescription"
    _order = 'id desc'

    move_line_id = fields.Many2one(
        comodel_name='account.move.line', string="Due Item", required=True, ondelete='cascade', index=True)
    company_id = fields.Many2one(related='move_line_id.company_id', store=True)
    until = fields.Date(string="Prescribes After", required=True)
    months = fields.Integer(string="Months Before", required=True)

    _once = models.UniqueIndex("(move_line_id, until, months)", "Somebody was told of this already.")

    @api.model
    def _remember(self, coming, today):
        """Write down what is told now, and return what was not told before."""
        Warned = self.sudo()  # sudo: the memory of this check, which nobody writes by hand
        told = {
            (warning.move_line_id.id, warning.until, warning.months)
            for warning in Warned.search_fetch(
                [('move_line_id', 'in', [found.item_id for found in coming])], ['move_line_id', 'until', 'months'])
        }
        new, vals_list = [], []
        for found in coming:
            months = min(
                months for months in WARN_MONTHS if found.until - relativedelta(months=months) <= today)
            if (found.item_id, found.until, months) not in told:
                new.append(found)
                vals_list.append({'move_line_id': found.item_id, 'until': found.until, 'months': months})
        Warned.create(vals_list)
        return new

    @api.model
    def _schedule(self, company, new, today):
        """Make one activity per debtor about ``new``, in the language of whoever gets it."""
        by_debtor = defaultdict(list)
        items = self.env['account.move.line'].browse(found.item_id for found in new)
        for item, found in zip(items, new, strict=True):
            by_debtor[item.partner_id.commercial_partner_id].append((item, found))
        collectors = self.env['res.partner'].union(*by_debtor)._get_dunning_collectors(company, today)
        by_user = defaultdict(list)
        for debtor, group in by_debtor.items():  # they come in the order in which they prescribe
            by_user[collectors[debtor.id]].append((debtor, group))
        vals_list = []
        for user, groups in by_user.items():
            if not user:
                continue  # nobody works in the accounting of this company; the list shows it
            env = self.with_context(lang=user.lang).env
            for debtor, group in groups[:MAX_ACTIVITIES]:
                vals_list.append(self._prepare_activity(user, group, today) | {
                    'summary': env._(
                        "%(debtor)s: prescribes after %(date)s. Interrupt it in time.", debtor=debtor.name,
                        date=format_day(env, group[0][1].until)),
                    'note': self._get_note(env, group),
                })
            rest = groups[MAX_ACTIVITIES:]
            if rest:
                vals_list.append(self._prepare_activity(user, rest[0][1], today) | {
                    # Not taken away when this one debtor pays.
                    'automated': False,
                    'summary': env._("Claims on %(count)s more debtors prescribe soon", count=len(rest)),
                    'note': env._("Look at the list Debtors ‣ Limitation and interrupt what is to be kept."),
                })
        return self.env['mail.activity'].with_context(mail_activity_quick_update=True).create(vals_list)

    @api.model
    def _prepare_activity(self, user, group, today):
        activity_type = self.env.ref('l10n_nl_dunning.mail_activity_type_prescription', raise_if_not_found=False)
        return {
            'activity_type_id': activity_type and activity_type.id,
            'res_model_id': self.env['ir.model']._get_id('account.move'),
            'res_id': group[0][0].move_id.id,
            'user_id': user.id,
            'date_deadline': today,
            'automated': True,
        }

    @api.model
    def _get_note(self, env, group):
        """Return the items as a list, each with its amount and last day, and what to do."""
        rows = Markup().join(
            Markup('<li><a href="#" data-oe-model="account.move" data-oe-id="%s">%s</a>: %s</li>') % (
                item.move_id.id, item.move_id.name, env._(
                    "%(amount)s, until %(date)s",
                    amount=format_amount(env, item.amount_residual_currency, item.currency_id),
                    date=format_day(env, found.until)))
            for item, found in group)
        advice = env._("Send a reminder that reserves the right to performance, or enter what interrupted it already.")
        return Markup("<p>%s</p><ul>%s</ul>") % (advice, rows)

    @api.model
    def _close(self, company, close):
        """Take the activities away of debtors of whom nothing is about to prescribe any more."""
        activity_type = self.env.ref('l10n_nl_dunning.mail_activity_type_prescription', raise_if_not_found=False)
        if not activity_type:
            return
        # sudo: activities of colleagues are to go as well
        activities = self.env['mail.activity'].sudo().search([
            ('activity_type_id', '=', activity_type.id), ('res_model', '=', 'account.move'), ('automated', '=', True)])
        if not activities:
            return
        moves = self.env['account.move'].search([
            ('id', 'in', activities.mapped('res_id')), ('company_id', 'in', company._get_dunning_company_ids())])
        in_danger = self.env['account.move.line'].browse(
            found.item_id for found in close).partner_id.commercial_partner_id
        safe = set(moves.filtered(lambda move: move.commercial_partner_id not in in_danger).ids)
        activities.filtered(lambda activity: activity.res_id in safe).unlink()
