"""What the tests share: a Dutch company in euros, debtors, invoices and a ladder of our own.

The ladder does not use the shipped texts and delays, so that editing those breaks no
test. Time is an argument: a test says on which day it plans, sends or is called.
"""

from datetime import date, timedelta

from odoo import Command

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

# The Monday on which most stories start.
TODAY = date(2025, 3, 3)


def days(count):
    """Return a number of days, to add to a date."""
    return timedelta(days=count)


def letter_bytes(notice):
    """Return what stands for the PDF of a notice in tests that do not look at letters."""
    return b'%%PDF-1.4 letter of notice %d' % notice.id


def post_message(record, text, **values):
    """Post a message on a record; the text is that of a person, so it is not translated."""
    return record.message_post(body=text, **values)


class DunningCommon(AccountTestInvoicingCommon):
    """A company that duns with ``cls.ladder``: reminder, demand and final demand, all by e-mail."""

    #: Tests about real letters set this to True.
    real_letters = False

    @classmethod
    def setup_independent_company(cls, **kwargs):
        """Take the company that ``make test`` prepared; make one where there is none."""
        # sudo: a user sees his own companies only, and this one becomes his.
        prepared = cls.env['res.company'].sudo().search([('name', '=', "Prepared for tests")])
        if not prepared or kwargs:
            return super().setup_independent_company(**kwargs)
        cls.env.user.sudo().company_ids = [Command.link(prepared.id)]  # sudo: as creating it would
        return prepared.with_env(cls.env)

    @classmethod
    def _use_chart_template(cls, company, chart_template_ref=None):
        """Take the generic chart where the Dutch one is not there: core would skip all tests, and say nothing."""
        if cls.env['ir.module.module']._get('l10n_nl').state != 'installed':
            chart_template_ref = 'generic_coa'
        return super()._use_chart_template(company, chart_template_ref)

    @classmethod
    @AccountTestInvoicingCommon.setup_country('nl')
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({
            'name': "Test BV", 'email': 'finance@test.example.com', 'street': "Dam 1", 'city': "Amsterdam"})
        cls.company.partner_id.tz = 'Europe/Amsterdam'
        cls.give_bank(cls.company)
        cls.ladder = cls.make_policy("Ladder", [
            {'name': "Reminder", 'delay_days': 5, 'payment_term_days': 10},
            {'name': "Demand", 'delay_days': 4, 'payment_term_days': 7, 'delay_from': 'previous_deadline'},
            {'name': "Final demand", 'delay_days': 1, 'payment_term_days': 5, 'delay_from': 'previous_deadline'},
        ])
        cls.reminder, cls.demand, cls.final = cls.ladder.level_ids
        cls.company.write({
            'dunning_policy_business_id': cls.ladder.id,
            'dunning_policy_consumer_id': cls.ladder.id,
            # Long ago: nothing is backlog unless a test says so.
            'dunning_start_date': '2020-01-01',
            'dunning_oldest_due_date': False,
            # Stories happen on any day and at any hour; quiet hours and the number of contacts have their own.
            'dunning_quiet': False,
            'dunning_contacts_per_week': 0,
        })
        cls.bank_journal = cls.company_data['default_journal_bank']
        cls.receivable = cls.company_data['default_account_receivable']
        cls.business = cls.make_debtor("Bakkerij De Korst BV")
        if not cls.real_letters:
            cls.classPatch(
                cls.registry['dunning.letter'], '_render_pdfs',
                lambda self, notices, *args, **kwargs: {notice.id: letter_bytes(notice) for notice in notices})
            cls.classPatch(
                cls.registry['dunning.arrangement'], '_print_document',
                lambda self, document, signatures=None, **kwargs: b'%%PDF-1.4 %s of arrangement %d' % (
                    b'agreement' if signatures else b'proposal', self.id))

    # --- settings ---

    @classmethod
    def give_bank(cls, company):
        """Without an account to pay on nothing leaves. It stands behind those of stories that have one of their own."""
        return cls.env['res.partner.bank'].create({
            'acc_number': 'NL20INGB0001234567', 'partner_id': company.partner_id.id, 'sequence': 99})

    @classmethod
    def setup_other_company(cls, **kwargs):
        data = super().setup_other_company(**kwargs)
        data['company'].email = 'other@test.example.com'
        cls.give_bank(data['company'])
        return data

    @classmethod
    def make_policy(cls, name, levels, **values):
        """Return a new policy for all debtors with levels from the dicts ``levels``."""
        return cls.env['dunning.policy'].create({
            'name': name,
            'debtor_type': 'any',
            'currency_id': cls.env.ref('base.EUR').id,
            'level_ids': [
                Command.create({
                    'sequence': 10 * number,
                    'name': f"Level {number}",
                    'channel': 'email',
                    'subject': f"Subject {number}",
                    'letter_intro': "<p>Open: <t t-out=\"object.amount_text\"/></p>",
                    'letter_closing': "<p>Before: <t t-out=\"object.deadline_text\"/></p>",
                } | level)
                for number, level in enumerate(levels, start=1)
            ],
            **values,
        })

    @classmethod
    def use_policy(cls, policy, company=None):
        """Make it the policy of the company for every debtor."""
        (company or cls.company).write({
            'dunning_policy_business_id': policy.id, 'dunning_policy_consumer_id': policy.id})

    # --- debtors and invoices ---

    @classmethod
    def make_debtor(cls, name, *, consumer=False, **values):
        """Return a debtor that every channel reaches."""
        return cls.env['res.partner'].create({
            'name': name,
            'is_company': not consumer,
            'email': cls._get_free_address(name.split()[0].lower()),
            'phone': '+31 20 555 0100',
            'street': "Keizersgracht 1",
            'zip': '1015 AA',
            'city': "Amsterdam",
            'country_id': cls.env.ref('base.nl').id,
            'lang': 'nl_NL',
            **values,
        })

    @classmethod
    def _get_free_address(cls, name):
        """Return an address that no other debtor has: two with one mailbox wait for each other."""
        Partner = cls.env['res.partner'].with_context(active_test=False)
        taken = Partner.search_count([('email', '=like', f'{name}%@debtor.example.com')])
        return f"{name}{taken or ''}@debtor.example.com"

    @classmethod
    def make_contact(cls, debtor, name, **values):
        """Return a contact of a debtor, without address unless given."""
        return cls.env['res.partner'].create({'name': name, 'parent_id': debtor.id, **values})

    @classmethod
    def invoice(cls, partner=None, due=TODAY, amount=100.0, *, sent=True, post=True, instalments=None, company=None,
                currency=None, move_type='out_invoice', **values):
        """Return an invoice without taxes that is to be paid on ``due``.

        :param instalments: list of (percentage, due date) instead of one due date
        """
        invoice_date = min([due] if not instalments else [day for _share, day in instalments]) - days(30)
        vals = {
            'move_type': move_type,
            'partner_id': (partner or cls.business).id,
            'invoice_date': invoice_date,
            'date': invoice_date,
            'invoice_line_ids': [Command.create({
                'name': "Bread", 'quantity': 1, 'price_unit': amount, 'tax_ids': [Command.clear()]})],
            **values,
        }
        if company:
            vals['company_id'] = company.id
        if currency:
            vals['currency_id'] = currency.id
        if instalments:
            vals['invoice_payment_term_id'] = cls.env['account.payment.term'].create({
                'name': "Instalments",
                'line_ids': [
                    Command.create({'value': 'percent', 'value_amount': share, 'nb_days': (day - invoice_date).days})
                    for share, day in instalments
                ],
            }).id
        else:
            vals['invoice_payment_term_id'] = False
            vals['invoice_date_due'] = due
        move = cls.env['account.move'].with_company(company or cls.company).create(vals)
        if post:
            move.action_post()
        if sent:
            move.is_move_sent = True
        return move

    @classmethod
    def items(cls, moves):
        """Return the due items of moves, the oldest due date first."""
        return moves.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable').sorted('date_maturity')

    @classmethod
    def credit_note(cls, partner=None, amount=100.0, on=TODAY, **values):
        """Return an open credit note."""
        return cls.invoice(partner, on, amount, move_type='out_refund', **values)

    @classmethod
    def receive(cls, partner=None, amount=100.0, on=TODAY, *, company=None, currency=None):
        """Return the open credit item of money received from a debtor and not matched to an invoice."""
        company = company or cls.company
        currency = currency or company.currency_id
        balance = currency._convert(amount, company.currency_id, company, on)
        journal = cls.env['account.journal'].search(
            [('type', '=', 'bank'), *cls.env['account.journal']._check_company_domain(company)], limit=1)
        partner = partner or cls.business
        account = partner.with_company(company).property_account_receivable_id
        move = cls.env['account.move'].with_company(company).create({
            'journal_id': journal.id,
            'date': on,
            'line_ids': [
                Command.create({
                    'account_id': journal.default_account_id.id, 'debit': balance, 'currency_id': currency.id,
                    'amount_currency': amount}),
                Command.create({
                    'account_id': account.id, 'credit': balance, 'partner_id': partner.commercial_partner_id.id,
                    'currency_id': currency.id, 'amount_currency': -amount}),
            ],
        })
        move.action_post()
        return move.line_ids.filtered('credit')

    @classmethod
    def pay(cls, moves, amount=None, on=TODAY):
        """Pay invoices (or due items) through the bank and reconcile; return the payment's item."""
        items = moves if moves._name == 'account.move.line' else cls.items(moves)
        open_amount = sum(items.mapped('amount_residual_currency'))
        payment = cls.receive(
            items.partner_id, open_amount if amount is None else amount, on,
            company=items.company_id, currency=items.currency_id)
        (items | payment).reconcile()
        return payment

    @classmethod
    def unpay(cls, moves):
        """Undo all reconciliations of invoices: the payment bounced."""
        cls.items(moves).remove_move_reconcile()

    # --- asking the planner ---

    def plan(self, at_date=TODAY, items=None, company=None, **kwargs):
        """Return the planner's decisions by due item: ``{account.move.line id: Decision}``."""
        company = company or self.company
        decisions = self.env['dunning.planner']._plan(company, at_date, items=items, **kwargs)
        self.assertEqual(
            len({decision.item_id for decision in decisions}), len(decisions), "An item got more than one answer")
        return {decision.item_id: decision for decision in decisions}

    def decision(self, record, at_date=TODAY, **kwargs):
        """Return the planner's decision for the only due item of a move, or for an item."""
        item = record if record._name == 'account.move.line' else self.items(record)
        item.ensure_one()
        return self.plan(at_date, items=item, company=item.company_id, **kwargs)[item.id]

    def reason(self, record, at_date=TODAY, **kwargs):
        """Return the code of the reason why not, or ``'due'``."""
        return self.decision(record, at_date, **kwargs).reason or 'due'

    # --- letting things happen ---

    @classmethod
    def on(cls, at_date, records=None):
        """Return an environment (or records) in which it is ``at_date``."""
        return (cls.env['base'] if records is None else records).with_context(dunning_at_date=at_date)

    @classmethod
    def make_notices(cls, at_date=TODAY, company=None):
        """Do what the scheduled action does on a day, and return the notices it made."""
        run = cls.on(at_date, cls.env['dunning.run'])
        return run._plan_company(company or cls.company, at_date)['notices']

    @classmethod
    def send(cls, notices, at_date=TODAY, *, wait=False):
        """Queue proposals and dispatch them, as “Send now” does; a mail server accepts their mails at once.

        :param bool wait: they wait in the mail queue instead
        """
        notices = cls.on(at_date, notices)
        notices.filtered(lambda notice: notice.state in ('draft', 'error'))._queue()
        cls.env['dunning.dispatcher'].with_context(dunning_at_date=at_date)._dispatch_interactively(notices)
        return notices if wait else cls.accept(notices, at_date)

    @classmethod
    def accept(cls, notices, at_date=TODAY):
        """A mail server accepts the mails of those of these notices that are on their way; the mails are kept."""
        notices.invalidate_recordset()
        leaving = notices.filtered(lambda notice: notice.state == 'leaving')
        leaving.mail_id.sudo().auto_delete = False
        cls.mails_leave(leaving, at_date)
        notices.invalidate_recordset()
        return notices

    @classmethod
    def dun(cls, at_date=TODAY, company=None, *, wait=False):
        """Plan and send everything that is due on a day; return the notices."""
        return cls.send(cls.make_notices(at_date, company), at_date, wait=wait)

    @classmethod
    def mails_leave(cls, notices, at_date=TODAY):
        """The mail queue hands the mails of notices over to the mail server."""
        mails = cls.on(at_date, notices.mail_id.sudo())
        mails.write({'state': 'sent'})
        mails._postprocess_sent_message(success_pids=[], success_emails=mails.mapped('email_to'))
        notices.invalidate_recordset()
        return notices

    @classmethod
    def called(cls, notices, at_date=TODAY):
        """A person made the call or did the task."""
        return cls.on(at_date, notices).action_done()

    @classmethod
    def post_letters(cls, notices, at_date=TODAY):
        """Print the letters and bring them to the post."""
        # The pile itself is about PDF; see the tests of letters.
        notices._recording().filtered(
            lambda notice: notice.postal_state == 'to_print').write({'postal_state': 'printed'})
        return cls.on(at_date, notices).action_mark_posted()

    # --- looking ---

    @classmethod
    def notices_of(cls, moves):
        """Return all notices about some invoices, the oldest first."""
        return cls.env['dunning.notice'].search([('line_ids.move_id', 'in', moves.ids)], order='id')

    def assertExplained(self, decision, company=None):
        """Every answer is a sentence for a user."""
        sentence = self.env['dunning.planner']._explain(decision, company or self.company)
        self.assertTrue(sentence.strip(), f"No sentence for {decision.reason}")
        self.assertNotIn('%(', sentence)
        return sentence
