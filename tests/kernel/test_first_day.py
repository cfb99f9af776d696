"""The first reminder of a newcomer: from `odoo -i` in a database without the addon to a mail server that has the mail.

A real server in a process of its own, a real browser, a mail server that keeps what it gets. Clicks and typed fields
are counted: what a firm has to do to begin may not become more. This needs the development environment (``dev/``).
"""

import os
import subprocess
import time
import urllib.request
from unittest import SkipTest

from odoo.tests import BaseCase, tagged

from .test_mail import FreePortController, Sink

try:
    import screenshots
    from env import bootstrap, database, paths, postgres, runtime
except ImportError:
    bootstrap = None

MOST_CLICKS, MOST_FIELDS = 12, 2
SECONDS = 90

#: What a firm has before: its own data, a customer, and an invoice that was sent and not paid.
BOOKS = """
from datetime import date, timedelta
company = env.company
company.write({'name': "Nieuw BV", 'email': 'administratie@nieuw.example', 'country_id': env.ref('base.nl').id,
               'currency_id': env.ref('base.EUR').id})
env['account.chart.template'].try_loading('nl', company=company, install_demo=False)
env['res.partner.bank'].create({'acc_number': 'NL91ABNA0417164300', 'partner_id': company.partner_id.id})
customer = env['res.partner'].create({
    'name': "Bakkerij De Korst BV", 'is_company': True, 'email': 'korst@debtor.example',
    'country_id': company.country_id.id})
sent = date.today() - timedelta(days=40)
move = env['account.move'].create({
    'move_type': 'out_invoice', 'partner_id': customer.id, 'invoice_date': sent,
    'invoice_date_due': sent + timedelta(days=30), 'invoice_payment_term_id': False,
    'invoice_line_ids': [(0, 0, {'name': "Brood", 'price_unit': 250.0, 'tax_ids': [(5,)]})]})
move.action_post()
move.is_move_sent = True
env.ref('base.user_admin').write({'lang': 'en_US', 'email': 'admin@nieuw.example'})
env.cr.commit()
"""

#: In the evening and on Sundays the addon waits until the morning; the test does not.
LOUD = "env['res.company'].search([]).dunning_quiet = False; env.cr.commit()"


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestFirstDay(BaseCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if bootstrap is None:
            raise SkipTest("Needs the development environment of the checkout (run it with `make test`).")
        _home, template = bootstrap.ensure(quiet=True)
        cls.name = f"dunning_test_{paths.checkout_key()}_{os.getpid()}-first"
        cls.addClassCleanup(postgres.drop, cls.name)
        postgres.create(cls.name, template)
        cls.sink = Sink()
        controller = FreePortController(cls.sink, hostname='127.0.0.1', port=0)
        controller.start()
        cls.addClassCleanup(controller.stop)
        cls.smtp = controller.port
        cls.clicks, cls.fields = 0, 0

    def serve(self):
        """Start Odoo with its scheduled actions, as on the server of a firm; return its address."""
        port = runtime.free_port()
        server = subprocess.Popen(  # noqa: S603 (our own command)
            runtime.odoo_command(
                '-d', self.name, f'--db-filter=^{self.name}$', f'--http-port={port}', '--max-cron-threads=1',
                '--smtp=127.0.0.1', f'--smtp-port={self.smtp}', '--log-level=warn'),
            env=runtime.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def stop():
            server.terminate()
            server.wait()

        self.addCleanup(stop)
        address = f'http://127.0.0.1:{port}'
        self.wait_for(lambda: self.answers(address), "Odoo did not answer")
        return address

    @staticmethod
    def answers(address):
        try:
            with urllib.request.urlopen(f'{address}/web/login', timeout=5) as page:  # noqa: S310 (this machine)
                return page.status == 200
        except OSError:
            return False

    def wait_for(self, condition, message):
        end = time.monotonic() + SECONDS
        while not condition():
            self.assertLess(time.monotonic(), end, message)
            time.sleep(0.3)

    def get_mails(self):
        """Return what reached the debtor: core may write to its own users meanwhile."""
        return [
            (envelope, mail) for envelope, mail in self.sink.mails if 'korst@debtor.example' in envelope.rcpt_tos]

    def click(self, selector, text=''):
        self.page.click(selector, text)
        self.clicks += 1
        time.sleep(1)

    def test_from_installing_to_the_first_reminder(self):
        database.execute(self.name, BOOKS)
        self.assertFalse(database.complaints(database.install(self.name, [paths.MODULE])))
        database.execute(self.name, LOUD)
        self.page = screenshots.Page(self.serve())
        self.addCleanup(self.page.browser.stop)
        self.page.open('/web/login', 'input[name=login]')
        self.page.run(
            "document.querySelector('input[name=login]').value = 'admin';"
            "document.querySelector('input[name=password]').value = 'admin'")
        self.fields += 2
        self.click('form.oe_login_form button[type=submit]')

        self.page.wait('.o_main_navbar')
        self.click('.o_navbar_apps_menu button')
        self.click('.o-dropdown--menu a, .o_app', "Debtor Management")
        self.page.wait('.o_data_row')  # the customer is on the worklist at once
        self.click('.o_menu_sections button', "Configuration")
        self.click('.o-dropdown--menu a, .o-dropdown--menu .dropdown-item', "Start Dunning")
        self.page.wait('.modal .o_dunning_checklist')
        todo = self.page.run("document.querySelectorAll('.modal .o_dunning_checklist .fa-circle-o').length")
        self.assertLessEqual(todo, 1, "All is there but a logo")
        self.click('.modal button[name=action_start_now]')
        self.page.wait('.o_list_view .o_data_row', 'body:not(:has(.modal))')
        self.click('.o_data_row .o_list_record_selector input')
        self.click('.o_control_panel button[name=action_review]')
        self.page.wait('.modal footer button')
        self.click('.modal footer button.btn-primary')
        self.page.wait('body:not(:has(.modal))')

        self.wait_for(self.get_mails, "No mail reached the mail server")
        [(envelope, mail)] = self.get_mails()
        self.assertEqual(envelope.rcpt_tos, ['korst@debtor.example'])
        self.assertIn("250", mail['Subject'])
        self.assertLessEqual(self.clicks, MOST_CLICKS)
        self.assertLessEqual(self.fields, MOST_FIELDS)
