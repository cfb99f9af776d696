from collections import defaultdict

from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, models
from odoo.tools import format_amount, format_date

# Months before the last day on which somebody is told.
WARN_MONTHS = (6, 3)
# Activities that one user gets in one day; what is more is told in a single one that points to the list.
MAX_ACTIVITIES = 20


class DunningPrescription(models.AbstractModel):
    _inherit = 'dunning.prescription'

    @api.model
    def _warn_prescription(self, company, today):
        """Tell the responsible users what prescribes within six and within three months, once each.

        One activity per debtor, on the invoice that prescribes first; when there are very many, the rest in one. What
        was interrupted, paid or written off since is taken off their lists.

        :return: the new ``mail.activity`` records
        """
        service = self.with_company(company).with_context(dunning_at_date=today)
        # Months differ by three days at most: what lies six months after 28 February is the 28th or the 31st of August.
        horizon = today + relativedelta(months=max(WARN_MONTHS), days=4)
        close = [
            found for found in service._get_before(company, horizon)
            if found.until - relativedelta(months=max(WARN_MONTHS)) <= today]
        service._close_warnings(company, close)
        coming = [found for found in close if found.until >= today]
        new = service._remember_warnings(coming, today)
        return service._schedule_warnings(new, today)

    def _remember_warnings(self, coming, today):
        """Write down what is told now, and return what was not told before."""
        # sudo: the memory of this check, which nobody writes by hand
        Warned = self.env['dunning.prescription.warning'].sudo()
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

    def _schedule_warnings(self, new, today):
        """Make one activity per debtor about ``new``, in the language of whoever gets it."""
        by_debtor = defaultdict(list)
        items = self.env['account.move.line'].browse(found.item_id for found in new)
        for item, found in zip(items, new, strict=True):
            by_debtor[item.partner_id.commercial_partner_id].append((item, found))
        by_user = defaultdict(list)
        for debtor, group in by_debtor.items():  # they come in the order in which they prescribe
            by_user[self._get_responsible(debtor, group[0][0].move_id)].append((debtor, group))
        vals_list = []
        for user, groups in by_user.items():
            if not user:
                continue  # nobody works in the accounting of this company; the list shows it
            env = self.with_context(lang=user.lang).env
            for debtor, group in groups[:MAX_ACTIVITIES]:
                vals_list.append(self._prepare_warning(user, group, today) | {
                    'summary': env._(
                        "%(debtor)s: prescribes after %(date)s. Interrupt it in time.", debtor=debtor.name,
                        date=format_date(env, group[0][1].until, date_format='d MMM y')),
                    'note': self._get_warning_note(env, group),
                })
            rest = groups[MAX_ACTIVITIES:]
            if rest:
                vals_list.append(self._prepare_warning(user, rest[0][1], today) | {
                    # Not taken away when this one debtor pays.
                    'automated': False,
                    'summary': env._("Claims on %(count)s more debtors prescribe soon", count=len(rest)),
                    'note': env._("Look at the list Debtors ‣ Limitation and interrupt what is to be kept."),
                })
        return self.env['mail.activity'].with_context(mail_activity_quick_update=True).create(vals_list)

    def _prepare_warning(self, user, group, today):
        activity_type = self.env.ref('l10n_nl_dunning.mail_activity_type_prescription', raise_if_not_found=False)
        return {
            'activity_type_id': activity_type and activity_type.id,
            'res_model_id': self.env['ir.model']._get_id('account.move'),
            'res_id': group[0][0].move_id.id,
            'user_id': user.id,
            'date_deadline': today,
            'automated': True,
        }

    def _get_warning_note(self, env, group):
        """Return the items as a list, each with its amount and last day, and what to do."""
        rows = Markup().join(
            Markup('<li><a href="#" data-oe-model="account.move" data-oe-id="%s">%s</a>: %s</li>') % (
                item.move_id.id, item.move_id.name, env._(
                    "%(amount)s, until %(date)s",
                    amount=format_amount(env, item.amount_residual_currency, item.currency_id),
                    date=format_date(env, found.until, date_format='d MMM y')))
            for item, found in group)
        advice = env._("Send a reminder that reserves the right to performance, or enter what interrupted it already.")
        return Markup("<p>%s</p><ul>%s</ul>") % (advice, rows)

    def _get_responsible(self, debtor, move):
        """Return who is to act: an accounting user who answers for the debtor, else a manager; or nobody."""
        company = self.env.company
        # sudo: which user belongs to the contact on our own letters
        contact = company.dunning_contact_id.sudo().user_ids
        for user in (debtor.user_id | contact | move.invoice_user_id).sudo():  # sudo: only picks whom to ask
            if (
                user.active and not user.share and not user._is_superuser() and company in user.company_ids
                and user.has_group('account.group_account_invoice')
            ):
                return user
        return self.env['dunning.interest.rate']._get_manager(company)

    def _close_warnings(self, company, close):
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
            ('id', 'in', activities.mapped('res_id')), ('company_id', '=', company.id)])
        in_danger = self.env['account.move.line'].browse(
            found.item_id for found in close).partner_id.commercial_partner_id
        safe = set(moves.filtered(lambda move: move.commercial_partner_id not in in_danger).ids)
        activities.filtered(lambda activity: activity.res_id in safe).unlink()
