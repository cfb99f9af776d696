"""Every window that opens over the debtor screen is gone when what it is for was done."""

import base64
import io
import json

from PIL import Image

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from ..common import days
from .test_debtor_screen import ScreenCommon

# Wizards that no button of this test confirms, and why.
APART = {
    'dunning.why': "it only answers: there is nothing to confirm",
    'dunning.remainder': "a list, not a window",
    'dunning.restore': "only after a restored backup",
    'dunning.specification': "prints, and stays to print another day",
    'dunning.personal.data': "downloads, and stays to download the other format",
    'dunning.time.machine.row': "a row of a list",
    'dunning.send.group': "a row of the send window", 'dunning.send.skip': "a row of the send window",
    'dunning.post.enter.line': "a row of the window about posting",
    'dunning.proposal.change.item': "a row of the window that changes proposals",
}

# Finds the screen, opens each window as its own buttons do, presses the button and waits until the window is gone.
SCRIPT = """
(async () => {
    const wait = async (found, seconds = 15) => {
        const end = Date.now() + seconds * 1000;
        for (let value; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
            if ((value = found())) return value;
        }
    };
    const { env } = odoo.__WOWL_DEBUG__.root;
    const find = (node) => node.component.openWindow ? node.component
        : Object.values(node.children).map(find).find(Boolean);
    const failed = [];
    for (const { action, button } of WINDOWS) {
        const name = `${action.res_model}.${button}`;
        await env.services.action.doAction(SCREEN, { clearBreadcrumbs: true });
        const screen = await wait(() => find(odoo.__WOWL_DEBUG__.root.__owl__));
        await wait(() => screen.data);
        screen.openWindow(action, screen.debtorId);
        const press = await wait(() => document.querySelector(`.modal button[name=${button}]:not(.d-none)`));
        if (!press) {
            failed.push(`${name}: no such button`);
        } else {
            press.click();
            if (!(await wait(() => !document.querySelector(".modal .o_form_view")))) {
                failed.push(`${name}: ${document.querySelector(".o_notification_content, .modal-title")?.innerText}`);
            }
        }
        for (const close of document.querySelectorAll(".modal .btn-close, .o_notification_close")) close.click();
        await wait(() => !document.querySelector(".modal"), 3);
    }
    if (failed.length) {
        console.error(`Windows that stayed: ${failed.join("; ")}`);
    } else {
        console.log("test successful");
    }
})();
"""


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestWindows(ScreenCommon, HttpCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._dunning_today()  # the browser knows no other
        cls.manager = new_test_user(
            cls.env, 'dunning_windows', groups='account.group_account_manager', lang='en_US', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])
        cls.business.write({'street': "Dam 1", 'zip': "1012 JS", 'city': "Amsterdam", 'phone': '+31205550100'})

    def owed(self, amount=100.0, late=20):
        """Return an invoice of the debtor, as whoever works with it sees it."""
        return self.invoice(due=self.today - days(late), amount=amount).with_user(self.manager)

    def proposal(self, amount=100.0, late=20, **values):
        """Return a proposal about an invoice of a debtor of its own: a debtor gets one message a day."""
        debtor = self.make_debtor(f"Debtor of {self.env['res.partner'].search_count([])}")
        debtor.write({'street': "Dam 1", 'zip': "1012 JS", 'city': "Amsterdam"})
        item = self.items(self.invoice(debtor, due=self.today - days(late), amount=amount))
        decisions = self.env['dunning.planner']._plan(self.company, self.today, items=item, only_due=True)
        notice = self.env['dunning.notice']._create_from_decisions(self.company, decisions, self.today)
        notice._recording().write(values)
        return notice.ensure_one().with_user(self.manager)

    def window(self, action, button, **values):
        """Return a window to open, its record as a user would have filled it in."""
        Wizard = self.env[action['res_model']].with_user(self.manager).with_company(self.company).with_context(
            **action.get('context') or {})
        record = Wizard.browse(action['res_id']) if action.get('res_id') else Wizard.create({})
        record.write(values)
        return {'button': button, 'action': {
            'type': 'ir.actions.act_window', 'res_model': action['res_model'], 'res_id': record.id, 'target': 'new',
            'views': [[False, 'form']], 'context': {'dialog_size': 'large'}}}

    def as_manager(self, model):
        return self.env[model].with_user(self.manager).with_company(self.company)

    def get_windows(self):
        owed, window, as_manager = self.owed, self.window, self.as_manager
        reason = self.env.ref('l10n_nl_dunning.hold_reason_internal')
        debtor = self.business.with_user(self.manager)
        yield window(as_manager('dunning.arrangement.make')._action_open(items=self.items(owed())), 'action_make')
        yield window(as_manager('dunning.arrangement.make')._action_open(items=self.items(owed())), 'action_offer')
        yield window(as_manager('dunning.promise.make')._action_open(items=self.items(owed())), 'action_record')
        yield window(as_manager('dunning.hold.place')._action_open(moves=owed()), 'action_place', reason_id=reason.id)
        hold = as_manager('dunning.hold').create({
            'move_id': owed().id, 'reason_id': reason.id, 'date_end': self.today + days(5)})
        yield window(as_manager('dunning.hold.close')._action_open(hold, 'extend'), 'action_apply', why="Still busy")
        yield window(as_manager('dunning.hold.close')._action_open(hold, 'close'), 'action_apply', why="Solved")
        outcome = self.env['dunning.call.outcome'].search([('kind', '=', 'no_answer')], limit=1)
        yield window(
            as_manager('dunning.call.enter')._action_open(partner=debtor, company=self.company), 'action_log',
            outcome_id=outcome.id)
        promise = as_manager('dunning.promise')._make(
            self.company, debtor, self.today + days(5), None, self.items(owed()), confirm=False)
        yield window(as_manager('dunning.promise.cancel')._action_open(promise), 'action_apply', why="Mistake")
        made = self.env['dunning.arrangement']._make(self.company, self.business, self.items(owed()), {})
        yield window(
            as_manager('dunning.arrangement.cancel')._action_open(made.with_user(self.manager)), 'action_apply',
            why="Mistake")
        offered = self.env['dunning.arrangement']._make_and_offer(
            self.company, self.business, self.items(owed()), {}).with_user(self.manager)
        scan = io.BytesIO()
        Image.new('RGB', (300, 400), 'white').save(scan, 'PNG')
        yield window(
            as_manager('dunning.arrangement.scan')._action_open(offered), 'action_confirm', filename="scan.png",
            file=base64.b64encode(scan.getvalue()), signed_name="Ann", signed_date=self.today)
        yield window(as_manager('dunning.invoice.sent')._action_open(owed()), 'action_confirm')
        yield window(as_manager('dunning.debit.return')._action_open(owed()), 'action_confirm')
        yield window(as_manager('dunning.proposal.approve')._action_open(self.proposal()), 'action_approve')
        yield window(
            as_manager('dunning.proposal.change')._action_open(self.proposal(), 'level'), 'action_apply',
            level_id=self.demand.id, why="Agreed")
        yield window(as_manager('dunning.send')._action_open(notices=self.proposal()), 'action_queue')
        posted = self.proposal(
            state='to_post', channel='letter', postal_state='printed', date=self.today)
        yield window(as_manager('dunning.post.enter')._action_open(posted.browse(), posted), 'action_confirm')
        sent = self.proposal(state='sent', date=self.today, sent_on=f'{self.today} 08:00:00')
        yield window(as_manager('dunning.receipt.enter')._action_open(sent), 'action_confirm', note="Said so")
        yield window({'res_model': 'dunning.time.machine'}, 'action_show')
        yield window({'res_model': 'dunning.start'}, 'action_start')
        self.ladder.write({'debtor_type': 'business', 'claim_booking': 'booked'})
        self.reminder.with_costs = True
        asked = self.send(self.proposal(400.0).with_user(self.env.user), self.today)
        self.assertTrue(asked.booking_ids)
        yield window(
            {'res_model': 'dunning.booking.waive', 'context': {'default_notice_id': asked.id}}, 'action_apply',
            reason="Kindness")
        yield window(
            as_manager('dunning.waive')._action_open(self.items(owed(500.0, late=90))), 'action_apply',
            reason="Kindness", amount_interest=1.0, amount_costs=0.0)

    def test_each_window_closes(self):
        """Also where the screen is shown anew meanwhile, or makes way for another page."""
        self.patch(self.registry['dunning.arrangement'], '_print_document', lambda *args, **kwargs: b'%PDF-1.4')
        self.owed()
        windows = list(self.get_windows())
        shown = {window['action']['res_model'] for window in windows}
        ours = {model for model in self.registry if model.startswith('dunning.') and self.env[model]._transient}
        self.assertEqual(ours, shown | APART.keys(), "a wizard of which nobody knows whether its window closes")
        self.assertFalse(shown & APART.keys())
        code = SCRIPT.replace('WINDOWS', json.dumps(windows)).replace(
            'SCREEN', json.dumps(self.row().action_open()))
        self.env.flush_all()
        self.browser_js(
            '/odoo/action-l10n_nl_dunning.dunning_debtor_action', code,
            "odoo.isReady === true && !!document.querySelector('.o_action_manager .o_view_controller')",
            login='dunning_windows', timeout=240)
