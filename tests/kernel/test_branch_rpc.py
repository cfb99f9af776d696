"""Over RPC and HTTP nobody reads a number of a company of the creditor that he does not work for."""

import json

from odoo import Command, fields
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..claim.test_branches import BranchCommon
from ..common import days

#: Models of core that show what is ours, next to all of our own.
CORE = ('account.move', 'account.move.line', 'res.partner', 'mail.message', 'ir.attachment', 'mail.activity')
#: What a user asks of a debtor.
ASKED = ('get_dunning_reasons', 'get_dunning_claim', 'get_dunning_statement', 'get_dunning_personal_data')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestBranchRpc(BranchCommon, HttpCase):
    """Each company has an invoice, a note, a hold, a call and an agreement with its name in it; two share letters."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._dunning_today()
        cls.words = {cls.company: 'HEADOFFICE', cls.branch: 'FILIAAL', cls.sister: 'ZUSJE'}
        cls.sister.write({'dunning_start_date': '2020-01-01', 'email': 'zus@test.example.com'})
        cls.use_policy(cls.ladder, cls.sister)
        cls.moves = {}
        cls.own = {company: cls.make_debtor(f"Debtor {number}") for number, company in enumerate(cls.words)}
        for number, company in enumerate(cls.words):
            cls.moves[company] = cls.env['account.move']
            for debtor in (cls.business, cls.jan, cls.own[company]):
                cls.owe(company, debtor, 100.0 + number)
        cls.make_what_people_do()
        # To the debtors of all: a proposal, and what left.
        before = cls.today - days(10)
        cls.dun(before, cls.sister)
        cls.sent = cls.dun(before, wait=True).filtered(lambda notice: notice.partner_id != cls.jan)
        cls.mails_leave(cls.sent, before)
        wrong = cls.make_debtor("Paid before")
        moves = cls.owe(cls.company, wrong, 82.0) | cls.owe(cls.branch, wrong, 92.0)
        cls.dun(before)
        for move in moves:
            cls.pay(move, on=before - days(1))
        cls.withdrawal = cls.env['dunning.withdrawal'].search([('partner_id', '=', wrong.id)])
        cls.shared = cls.sent.filtered(lambda notice: notice.sudo().shared_company_ids)
        cls.users = {name: cls.make_user(name, companies) for name, companies in (
            ('branch', cls.branch), ('head', cls.company), ('both', cls.company | cls.branch), ('sister', cls.sister))}
        cls.hidden = {
            name: {word for company, word in cls.words.items() if company not in user.company_ids}
            for name, user in cls.users.items()}
        cls.env.flush_all()

    @classmethod
    def make_user(cls, name, companies):
        groups = 'base.group_user,account.group_account_invoice,base.group_allow_export'
        return new_test_user(
            cls.env, f'rpc_{name}', groups=groups, password=f'rpc_{name}_password', company_id=companies[0].id,
            company_ids=[Command.set(companies.ids)])

    @classmethod
    def owe(cls, company, debtor, amount):
        """Return an invoice with the name of its company in everything that is written on it."""
        word = cls.words[company]
        move = cls.invoice(
            debtor, cls.today - days(20), amount, company=company, ref=word, payment_reference=word,
            name=f'{word}/{len(cls.moves[company]) + 1:05}')
        cls.moves[company] |= move
        return move

    @classmethod
    def make_what_people_do(cls):
        reason = cls.env.ref('l10n_nl_dunning.hold_reason_invoice_copy').id
        for company, word in cls.words.items():
            cls.env['dunning.hold'].create({
                'move_id': cls.owe(company, cls.own[company], 50.0).id, 'reason_id': reason, 'note': word,
                'date_end': cls.today + days(5)})
            cls.env['dunning.call'].with_company(company).log_call({
                'partner_id': cls.business.id, 'outcome': 'no_answer', 'company_id': company.id, 'note': word})
            cls.env['dunning.promise']._make(
                company, cls.business, cls.today + days(5), items=cls.items(cls.owe(company, cls.business, 60.0)),
                note=word, confirm=False)
            late = cls.owe(company, cls.business, 70.0)
            arrangement = cls.env['dunning.arrangement']._make(company, cls.business, cls.items(late), {
                'instalment_count': 2, 'with_interest': False, 'with_costs': False,
                'date_first': cls.today + days(7)}, note=word)
            arrangement.action_offer()
        both = cls.owe(cls.company, cls.jan, 80.0) | cls.owe(cls.branch, cls.jan, 90.0)
        cls.env['dunning.promise']._make(
            cls.company, cls.jan, cls.today + days(5), items=cls.items(both), note="HEADOFFICE, FILIAAL", confirm=False)
        both = cls.owe(cls.company, cls.jan, 81.0) | cls.owe(cls.branch, cls.jan, 91.0)
        arrangement = cls.env['dunning.arrangement']._make(cls.company, cls.jan, cls.items(both), {
            'instalment_count': 2, 'with_interest': False, 'with_costs': False, 'date_first': cls.today + days(7)})
        arrangement.action_offer()

    # --- asking ---

    def log_in(self, name):
        self.user_name = name
        self.authenticate(f'rpc_{name}', f'rpc_{name}_password')

    def call(self, model, method, *args, **kwargs):
        """Call a method as a browser does, in all companies of the user. Return the text of the answer."""
        context = {'allowed_company_ids': self.users[self.user_name].company_ids.ids}
        response = self.opener.post(
            f'{self.base_url()}/web/dataset/call_kw/{model}/{method}', timeout=60,
            json={'id': 0, 'jsonrpc': '2.0', 'method': 'call', 'params': {
                'model': model, 'method': method, 'args': args, 'kwargs': {'context': context, **kwargs}}})
        return response.text

    def ask(self, model, method, *args, **kwargs):
        """Ask for something that the user may ask for. Return the answer."""
        text = self.call(model, method, *args, **kwargs)
        self.assertReadsNothingOfOthers(text, f"{model}.{method}{args}")
        answer = json.loads(text)
        problem = answer.get('error', {}).get('data', {}).get('debug', '')[-800:]
        self.assertFalse(problem, f"{self.user_name}: {model}.{method}")
        return answer['result']

    def try_to(self, model, method, *args, **kwargs):
        """Ask for something that may be refused."""
        text = self.call(model, method, *args, **kwargs)
        self.assertReadsNothingOfOthers(text, f"{model}.{method}{args}")
        return json.loads(text).get('result')

    def assertReadsNothingOfOthers(self, text, what):
        found = {word for word in self.hidden[self.user_name] if word in text}
        self.assertFalse(found, f"{self.user_name} reads {sorted(found)} in {what}: {_get_around(text, found)}")

    def get_names(self, model):
        """Return the names of the fields that the user reads; files are fetched by their addresses."""
        model = self.env[model].with_user(self.users[self.user_name])
        return [
            name for name, field in model._fields.items()
            if field.type != 'binary' and field.groups != fields.NO_ACCESS and model._has_field_access(field, 'read')
            and name != 'access_token'  # core makes one when it is read
            # Of core's models all texts, and what is ours; the rest is core's.
            and (model._name not in CORE or (field.store and field.type in ('char', 'text', 'html')) or name.startswith(
                'dunning_'))]

    def get_tables(self):
        return sorted(
            [name for name, model in self.registry.items()
             if name.startswith('dunning.') and not model._abstract and not model._transient]) + list(CORE)

    def may_read(self, name):
        return self.env[name].with_user(self.users[self.user_name]).has_access('read')

    # --- who reads what ---

    # Core makes an access token when it is asked for one, and does it again where it may write.
    @mute_logger('odoo.sql_db')
    def test_tables(self):
        """All that a user finds, in every field, and what he has the number of without finding it."""
        for user in self.users:
            self.log_in(user)
            for model in filter(self.may_read, self.get_tables()):
                domain = [('model', '=like', 'dunning.%')] if model == 'mail.message' else [
                    ('res_model', '=like', 'dunning.%')] if model in ('ir.attachment', 'mail.activity') else []
                names = self.get_names(model)
                with self.subTest(user=user, model=model):
                    related = {
                        name: {'fields': {'display_name': {}}} if self.env[model]._fields[name].relational else {}
                        for name in names}
                    found = self.ask(model, 'web_search_read', domain, related)['records']
                    ids = [record['id'] for record in found]
                    self.ask(model, 'name_search', '')
                    if not self.env[model]._auto:  # worked out, not kept
                        continue
                    if model != 'mail.message':  # of which administrators make exports
                        self.try_to(model, 'export_data', ids, [
                            name for name in names if not name.startswith('message_')])
                    others = self.env[model].sudo().search([*domain, ('id', 'not in', ids)])
                    for record in others[:20]:
                        self.try_to(model, 'read', record.ids, names)
                        self.try_to(model, 'web_read', record.ids, related)

    def test_debtor_screen(self):
        for user in self.users:
            self.log_in(user)
            rows = self.ask('dunning.debtor', 'web_search_read', [], {'partner_id': {}})['records']
            with self.subTest(user=user):
                self.assertTrue(rows)
                for row in rows:
                    screen = self.ask('dunning.debtor', 'get_screen', row['id'])
                    self.assertNotIn('gone', screen)
                    if row['partner_id'] == self.business.id:
                        mine = {company.id for company in self.users[user].company_ids}
                        moves = self.env['account.move'].browse([item['move_id'] for item in screen['items']])
                        self.assertEqual(set(moves.company_id.ids), mine)

    def test_what_is_asked_of_debtors(self):
        debtors = self.business | self.jan | self.own[self.company] | self.own[self.branch] | self.own[self.sister]
        for user in self.users:
            self.log_in(user)
            for debtor in debtors:
                for method in ASKED:
                    with self.subTest(user=user, debtor=debtor.name, method=method):
                        self.try_to('res.partner', method, debtor.ids)
                for company in self.words:
                    self.try_to('res.partner', 'get_dunning_statement', debtor.ids, company.id)
                    self.try_to('res.partner', 'get_dunning_personal_data', debtor.ids, company.id)

    def test_actions(self):
        """Wizards about what is one's own, and buttons on what is shared."""
        notices = self.env['dunning.notice'].search([])
        for user in self.users:
            self.log_in(user)
            moves = self.env['account.move'].union(*(
                self.moves[company] for company in self.users[user].company_ids if company in self.moves))
            action = self.ask('account.move', 'action_dunning_send', moves.ids)
            names = self.get_names('dunning.send')
            self.ask('dunning.send', 'web_read', [action['res_id']], {
                **{name: {} for name in names}, 'group_ids': {'fields': {
                    name: {'fields': {'display_name': {}}} if field.relational else {}
                    for name, field in self.env['dunning.send.group']._fields.items()}},
                'skip_ids': {'fields': {name: {} for name in self.env['dunning.send.skip']._fields}}})
            groups = self.env['dunning.send'].browse(action['res_id']).group_ids
            for group in groups:
                self.try_to('dunning.send.group', 'get_preview', group.ids)
            for notice in notices:
                for method in ('get_preview', 'get_preview_list', 'send_test'):
                    with self.subTest(user=user, notice=notice.name, method=method):
                        self.try_to('dunning.notice', method, notice.ids)

    def test_conversations(self):
        """What was said and attached, below the form: it opens, and has nothing of others."""
        notices = self.env['dunning.notice'].search([])
        seen = 0
        for user in self.users:
            self.log_in(user)
            mine = notices.with_user(self.users[user]).with_context(
                allowed_company_ids=self.users[user].company_ids.ids)
            for notice in mine._filtered_access('read'):
                with self.subTest(user=user, notice=notice.name):
                    text = self.opener.post(f'{self.base_url()}/mail/data', timeout=60, json={
                        'id': 0, 'jsonrpc': '2.0', 'method': 'call', 'params': {'fetch_params': [['mail.thread', {
                            'thread_model': 'dunning.notice', 'thread_id': notice.id,
                            'request_list': ['attachments', 'followers', 'activities']}]]}}).text
                    self.assertReadsNothingOfOthers(text, notice.name)
                    self.assertNotIn('error', json.loads(text))
                    seen += 1
        self.assertGreater(seen, len(self.users))

    def test_downloads(self):
        """Files, reports and conversations by their addresses."""
        notices = self.env['dunning.notice'].search([])
        files = self.env['ir.attachment'].sudo().search([('res_model', '=like', 'dunning.%')])
        addresses = [
            *(f'/web/content/{file.id}' for file in files),
            *(f'/web/content/dunning.notice/{notice.id}/{name}' for notice in notices
              for name, field in notice._fields.items() if field.type == 'binary'),
            *(f'/report/html/l10n_nl_dunning.{name}/{notice.id}' for notice in notices
              for name in ('report_dunning_letter', 'report_dunning_specification')),
            *(f'/my/debt/{page.id}' for page in self.env['dunning.page'].search([])),
            *(f'/my/arrangements/{arrangement.id}' for arrangement in self.env['dunning.arrangement'].search([])),
        ]
        for user in self.users:
            self.log_in(user)
            for address in addresses:
                with self.subTest(user=user, address=address):
                    answer = self.url_open(address)
                    if answer.headers['Content-Type'].startswith(('text', 'application/json')):
                        self.assertReadsNothingOfOthers(answer.text, address)
                    elif answer.status_code == 200:
                        self.assertSeesAll(address, files)

    def assertSeesAll(self, address, files):
        """A document is of a record of which the user works for all companies."""
        last = address.split('/')
        notice = self.env['dunning.notice'].browse(int(last[4])) if 'dunning.notice' in address else None
        if notice is None:
            file = files.browse(int(last[3]))
            notice = self.env[file.res_model].browse(file.res_id)
        companies = notice.sudo().company_id
        if notice._name == 'dunning.notice':
            companies = notice.sudo().line_ids.company_id
        self.assertLessEqual(set(companies.ids), set(self.users[self.user_name].company_ids.ids), address)

    def test_the_page_of_a_debtor(self):
        """The page shows all that is owed to the creditor: who works for all of it looks along."""
        for user in ('branch', 'head', 'both'):
            self.log_in(user)
            for debtor in (self.business, self.own[self.branch], self.own[self.company]):
                page = debtor._get_dunning_page(self.company)
                action = self.try_to('dunning.page', 'action_open_page', page.ids)
                with self.subTest(user=user, debtor=debtor.name):
                    owed = {company for company, moves in self.moves.items() if debtor in moves.partner_id}
                    allowed = owed - {self.sister} <= set(self.users[user].company_ids)
                    self.assertEqual(bool(action), allowed)
                    if action:
                        answer = self.url_open(action['url'])
                        self.assertEqual(answer.status_code, 200, answer.text[-1500:])
                        self.assertReadsNothingOfOthers(answer.text, action['url'])

    def test_a_withdrawal_about_both_is_for_who_sees_both(self):
        self.assertEqual(self.withdrawal.line_ids.company_id, self.company | self.branch)
        for user, count in (('branch', 0), ('head', 0), ('both', 1)):
            self.log_in(user)
            self.assertEqual(self.ask('dunning.withdrawal', 'search_count', []), count)

    def test_what_is_shared_has_a_sum(self):
        """Also owed to the same creditor: the sum, and no number."""
        self.assertTrue(self.shared)
        for user, sum_of_others in (('branch', '230'), ('head', '231')):
            self.log_in(user)
            [values] = self.ask('dunning.notice', 'web_read', self.shared[0].ids, {
                'hidden_text': {}, 'amount_due': {}, 'line_ids': {'fields': {'name': {}}}})
            self.assertIn(sum_of_others, values['hidden_text'])
            self.assertEqual(len(values['line_ids']), 3)
        self.log_in('both')
        [values] = self.ask('dunning.notice', 'web_read', self.shared[0].ids, {'hidden_text': {}, 'line_ids': {}})
        self.assertEqual((values['hidden_text'], len(values['line_ids'])), (False, 6))


def _get_around(text, words):
    """Return what stands around words, to find out where they come from."""
    return [text[max(0, text.index(word) - 300):text.index(word) + 100] for word in sorted(words)][:3]
