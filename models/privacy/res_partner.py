"""What is known of a debtor, for other systems (a statement) and for himself (an export on request)."""

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# How far back calls and notices are told, in months.
MONTHS = 12
CSV_COLUMNS = ('kind', 'date', 'reference', 'person', 'text', 'amount', 'currency', 'state')


def as_plain(record, **names):
    """Return ``{key: value}`` of ``{key: field}`` as plain data.

    Of a moment the day, as an ISO string; of another record its name, of many their IDs; no text is ``''``.
    """
    readers = {
        'date': fields.Date.to_string,
        'datetime': fields.Date.to_string,
        'many2one': lambda value: value.name or '',
        'many2many': lambda value: value.ids,
        'char': lambda value: value or '',
    }
    return {
        key: readers.get(record._fields[name].type, lambda value: value)(record[name]) for key, name in names.items()}


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def get_dunning_statement(self, company_id=None):
        """Return how a debtor stands today, as plain data that every programming language reads.

        :param int company_id: without it the current company
        :return: dict; dates are ISO strings (``YYYY-MM-DD``) or False, amounts floats in the currency named beside
            them, lists the oldest first:

            - ``date``, ``company_id``, ``company``, ``debtor_id``, ``debtor``, ``policy``, ``level_id``, ``level``
            - ``amounts``: per currency, as in the worklist, ``currency``, ``open`` (all that is open), ``overdue``
              (whose due date has passed), ``credit`` (open credits that cover it), ``on_hold`` and ``collectable``
            - ``items``: each open due item: ``item_id``, ``invoice_id``, ``invoice``, ``due_date``, ``days_overdue``,
              ``currency``, ``amount_open``, ``amount_on_hold``, ``level``, ``next_level``, ``is_due``, ``reason``
              (code, ``due`` when it would go out today), ``text`` (the sentence) and ``changes_on``
            - ``holds``: those that hold today: ``hold_id``, ``kind``, ``reason``, ``about``, ``amount`` (False: all of
              it), ``currency``, ``until`` (False: until somebody decides), ``owner``
            - ``promises``: of the last twelve months: ``promise_id``, ``date_made``, ``date``, ``grace_date``,
              ``amount``, ``paid``, ``currency``, ``state``, ``story``, ``item_ids``
            - ``promises_kept`` and ``promises_decided``: of all times
            - ``calls``: of the last twelve months: ``count``, ``reached``, ``last_date``, ``last_outcome``, and
              ``outcomes``, a dict of the number by kind of outcome
            - ``notices``: what was sent in the last twelve months: ``notice_id``, ``number``, ``date``, ``level``,
              ``channel``, ``amount``, ``currency``, ``deadline``
            - ``arrangements``: all but drafts: ``arrangement_id``, ``name``, ``state``, ``offered_on``, ``signed_on``,
              ``closed_on``, ``close_code``, ``amount``, ``paid``, ``left``, ``currency``, ``story``, ``item_ids`` and
              ``instalments`` with ``date``, ``amount``, ``paid``, ``kind``, ``state``
            - ``arrangements_kept`` and ``arrangements_decided``: of all times
        :raise AccessError: for who may not read the contact, or is not in accounting
        :raise UserError: for another company than the user works in
        """
        self.ensure_one()
        self.check_access('read')
        self.env['dunning.planner']._check_may_ask()
        company = self._get_dunning_company(company_id)
        return self.commercial_partner_id.with_company(company)._prepare_dunning_statement(company)

    def _get_dunning_company(self, company_id):
        if not company_id:
            return self.env.company
        company = self.env.companies.filtered(lambda company: company.id == company_id)
        if not company:
            raise UserError(self.env._("You do not work in a company with ID “%s”.", company_id))
        return company

    def _prepare_dunning_statement(self, company):
        today = company._dunning_today()
        answers = self.env['dunning.planner']._answer(company, today, partners=self)
        items = [
            {
                **{name: answer[name] for name in (
                    'item_id', 'invoice_id', 'invoice', 'due_date', 'currency', 'amount_open', 'amount_on_hold',
                    'next_level', 'is_due', 'reason', 'text', 'changes_on')},
                'days_overdue': max(0, (today - (fields.Date.to_date(answer['due_date']) or today)).days),
                'level': answer['last_level'],
            }
            for answer in answers if answer['amount_open'] > 0]
        since = today - relativedelta(months=MONTHS)
        level = self.dunning_level_id
        kept, decided = self.env['dunning.promise']._get_kept_ratio(self, company).get(self.id, (0, 0))
        arrangements_kept, arrangements_decided = self.env['dunning.arrangement']._get_kept_ratio(
            self, company).get(self.id, (0, 0))
        return {
            'date': fields.Date.to_string(today),
            'company_id': company.id,
            'company': company.name,
            'debtor_id': self.id,
            'debtor': self.display_name or '',
            'policy': self.dunning_effective_policy_id.sudo().name or '',  # sudo: only its name
            'level_id': level.id,
            'level': level.name or '',
            'amounts': self._prepare_dunning_statement_amounts(company),
            'items': items,
            'holds': self._prepare_dunning_statement_holds(company, today),
            'promises': self._prepare_dunning_statement_promises(company, since),
            'promises_kept': kept,
            'promises_decided': decided,
            'calls': self._prepare_dunning_statement_calls(company, since),
            'notices': self._prepare_dunning_statement_notices(company, since),
            'arrangements': self._prepare_dunning_statement_arrangements(company),
            'arrangements_kept': arrangements_kept,
            'arrangements_decided': arrangements_decided,
        }

    def _prepare_dunning_statement_amounts(self, company):
        """Return the sums of the worklist, those in the currency of the company first."""
        rows = self.env['dunning.debtor'].with_context(dunning_debtor_partner_ids=self.ids).search([
            ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', self.id)])
        return [
            as_plain(
                row, currency='currency_id', open='amount_open', overdue='amount_overdue', credit='amount_credit',
                on_hold='amount_held', collectable='amount_collectable')
            for row in rows.sorted(lambda row: (row.currency_id != company.currency_id, row.currency_id.name))]

    def _prepare_dunning_statement_holds(self, company, today):
        Hold = self.env['dunning.hold']
        holds = Hold.search(Hold._get_active_domain(today) & Domain(
            [('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', self.id)]),
            order='opened_on, id')
        return [
            {
                **as_plain(
                    hold, hold_id='id', kind='kind', reason='reason_id', currency='currency_id', owner='user_id',
                    insolvency='insolvency_kind', insolvent_on='insolvent_on'),
                'about': hold._get_what(self.env) if hold.scope == 'debtor' else hold.move_id.name or '',
                'amount': hold.amount if hold.is_part else False,
                'until': False if hold.needs_decision else fields.Date.to_string(hold.date_end),
            }
            for hold in holds]

    def _prepare_dunning_statement_promises(self, company, since):
        promises = self.env['dunning.promise'].search([
            ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', self.id),
            '|', ('date_made', '>=', since), ('state', '=', 'running')], order='date_made, id')
        return [
            as_plain(
                promise, promise_id='id', date_made='date_made', date='date_promised', grace_date='grace_date',
                amount='amount', paid='amount_paid', currency='currency_id', state='state', story='story',
                item_ids='item_ids')
            for promise in promises]

    def _prepare_dunning_statement_calls(self, company, since):
        domain = [
            ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', self.id),
            ('date', '>=', since)]
        Call = self.env['dunning.call']
        groups = Call._read_group(domain, ['kind', 'reached'], ['__count'])
        outcomes = {}
        for kind, _reached, count in groups:
            outcomes[kind] = outcomes.get(kind, 0) + count
        last = Call.search(domain, order='date_start desc, id desc', limit=1)
        return {
            'count': sum(outcomes.values()),
            'reached': sum(count for _kind, reached, count in groups if reached),
            'last_date': fields.Date.to_string(last.date) or False,
            'last_outcome': last.outcome_id.name or '',
            'outcomes': outcomes,
        }

    def _prepare_dunning_statement_notices(self, company, since):
        notices = self.env['dunning.notice'].search([
            ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', self.id),
            ('state', '=', 'sent'),
            ('date', '>=', since)], order='date, id')
        return [
            {
                **as_plain(
                    notice, notice_id='id', number='name', date='date', level='level_id', amount='amount_due',
                    currency='currency_id', deadline='deadline'),
                'channel': notice._fields['channel'].convert_to_export(notice.channel, notice),
            }
            for notice in notices]

    def _prepare_dunning_statement_arrangements(self, company):
        arrangements = self.env['dunning.arrangement'].search([
            ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', self.id),
            ('state', '!=', 'draft')], order='id')
        return [
            {
                **as_plain(
                    arrangement, arrangement_id='id', name='name', state='state', offered_on='offered_on',
                    signed_on='signed_on', closed_on='closed_on', close_code='close_code', amount='amount_total',
                    paid='amount_paid', left='amount_left', currency='currency_id', story='story'),
                'item_ids': arrangement.line_ids.move_line_id.ids,
                'instalments': [
                    as_plain(
                        instalment, date='date_due', amount='amount', paid='amount_paid', kind='kind', state='state')
                    for instalment in arrangement.instalment_ids],
            }
            for arrangement in arrangements]

    # -------------------------------------------------------------------------
    # A DEBTOR ASKS WHAT IS KEPT ABOUT HIM
    # -------------------------------------------------------------------------

    def get_dunning_personal_data(self, company_id=None):
        """Return all that was noted about a debtor: calls, promises, holds and notices of all times.

        For a request of access (article 15 of the General Data Protection Regulation). Look before it is handed out:
        notes can name others.

        :param int company_id: without it the current company
        :return: list of dicts with ``kind``, ``date`` (ISO string), ``reference``, ``person``, ``text``, ``amount``,
            ``currency`` and ``state``, the oldest first; what does not apply is empty
        :raise AccessError: for who may not read the contact, or is not in accounting
        """
        self.ensure_one()
        self.check_access('read')
        self.env['dunning.planner']._check_may_ask()
        company = self._get_dunning_company(company_id)
        rows = self.commercial_partner_id.with_company(company)._prepare_dunning_personal_data(company)
        rows.sort(key=lambda row: (row[1], row[0], row[2]))
        return [dict(zip(CSV_COLUMNS, row, strict=True)) for row in rows]

    def _prepare_dunning_personal_data(self, company):
        """Return the rows of the export; a bridge adds its own."""
        about = [('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', self.id)]
        to_date, env = fields.Date.to_string, self.env

        def label(record, name):
            return record._fields[name].convert_to_export(record[name], record)

        rows = [
            (env._("Call"), to_date(call.date), call.number or '', call.contact_name or call.contact_id.name or '',
             '. '.join(filter(None, [call.summary, call.note])), '', '', call.outcome_id.name)
            for call in env['dunning.call'].search(about)]
        rows += [
            (env._("Promise"), to_date(promise.date_made), ', '.join(filter(None, promise.move_ids.mapped('name'))),
             promise.contact_id.name or '', ' '.join(filter(None, [promise.story, promise.note])), promise.amount,
             promise.currency_id.name, label(promise, 'state'))
            for promise in env['dunning.promise'].search(about)]
        rows += [
            (env._("Hold"), to_date(hold.opened_on), hold.move_id.name or '', '',
             '. '.join(filter(None, [hold.reason_id.name, hold.note, hold.dispute_outcome, hold.close_reason])),
             hold.amount or '', hold.currency_id.name if hold.amount else '', label(hold, 'state'))
            for hold in env['dunning.hold'].search(about)]
        rows += [
            (env._("Notice"), to_date(notice.date or notice.date_planned) or '', notice.name or '',
             notice.recipient_id.name or '',
             ' '.join(filter(None, [notice.level_id.name, notice.email_to, notice.note])),
             notice.amount_due, notice.currency_id.name, label(notice, 'state'))
            for notice in env['dunning.notice'].search(about)]
        rows += [
            (env._("Arrangement"), to_date(arrangement._get_last_day()), arrangement.name or '',
             # Who signed, and from where.
             arrangement.signed_name or arrangement.contact_id.name or '',
             ' '.join(filter(None, [
                 arrangement.story, arrangement.note or '', arrangement.close_reason,
                 arrangement.signed_on and env._(
                     "Signed on %(moment)s (UTC) from %(address)s.",
                     moment=fields.Datetime.to_string(arrangement.signed_on), address=arrangement.signed_ip or "–"),
             ])),
             arrangement.amount_total, arrangement.currency_id.name, label(arrangement, 'state'))
            for arrangement in env['dunning.arrangement'].search(about)]
        rows += [
            (env._("Sent from the debtor's page"), to_date(request.date), request.move_id.name or '', '',
             request.text or '', '', '', label(request, 'kind'))
            for request in env['dunning.page.request'].search(about)]
        return rows

    def action_dunning_personal_data(self):
        """Open the wizard that exports what is kept about this debtor."""
        self.ensure_one()
        self.env['dunning.planner']._check_may_ask()
        wizard = self.env['dunning.personal.data'].create({'partner_id': self.commercial_partner_id.id})
        return wizard._get_records_action(
            name=self.env._("Export what is kept"), target='new', context={'dialog_size': 'medium'})
