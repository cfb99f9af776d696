"""Upgrade databases that earlier releases filled: nothing is lost and nothing changes by itself.

An old release comes from the git history and lives through its own demonstration, in its own code
(see ``dev/upgrade_session.py``). Then this checkout updates the database, twice.
"""

import json
import os
import re
from collections import Counter
from contextlib import closing
from decimal import Decimal
from unittest import SkipTest

from odoo import sql_db
from odoo.tests import BaseCase, tagged
from odoo.tools import SQL

try:
    from env import bootstrap, database, odoo, paths, postgres, releases
    from env.say import Failure
except ImportError:
    bootstrap = None

#: Tables in which core keeps its books of what is installed, and parts of records that ship. All others are compared.
OF_CORE = re.compile(r"""
    ir_model(_\w+)?             # models, fields, constraints, external ids
    | ir_module_module(_dependency)?  # the version and the description of the addon, and its bridges
    | orm_signaling_\w+         # tells other processes to load again
    | ir_cron_trigger           # an update asks for the auto-vacuum
    | ir_act_window_view        # the views of an action are made again
    | ir_(act_server|ui_menu)_group_rel
    | ir_actions_server_history
""", re.VERBOSE)
#: Rows of other tables that belong to records that ship: icons of menus, compiled assets, who made a scheduled action.
ROWS = {
    'ir_attachment': SQL("t.res_model IS DISTINCT FROM 'ir.ui.menu' AND (t.url LIKE '/web/assets/%%') IS NOT TRUE"),
    'mail_message': SQL("t.model IS NULL OR t.model NOT IN ('ir.actions.server', 'ir.cron')"),
}
ACTIONS = {
    'ir.actions.act_window': 'ir_act_window', 'ir.actions.report': 'ir_act_report_xml',
    'ir.actions.server': 'ir_act_server'}

#: What a user changed, see ``_edit`` of the session.
EDITS = {
    'level': ["Mijn niveau", "<p>Mijn woorden, ${debtor}</p>", "Mijn onderwerp"],
    'level in English': "<p>My words</p>",
    'company': 4,
    'rate': "Mijn bron",
    'reason': "Mijn reden",
    'mail': "Mijn e-mail",
    'cron': [3, 'hours'],
    'sequence': "MIJN",
    'policy': ["Eigen aanmaning", "Eigen laatste"],
    'filter': "[('state', '=', 'sent'), ('level_id.policy_id.debtor_type', '=', 'business')]",
}

#: (table, column) that later releases do without.
DROPPED = {
    ('dunning_notice', 'breaker_id'),
    ('dunning_policy', 'withdrawal_automatic'),
    ('dunning_withdrawal', 'channel'),
    *(('dunning_arrangement', name) for name in (
        'agreement_email_to', 'new_invoice_on', 'offer_channel', 'offer_email_to', 'offer_printed_on')),
    *(('res_company', f'dunning_{name}') for name in (
        'arrangement_break_days', 'arrangement_grace_days', 'arrangement_max_days', 'arrangement_remind_days',
        'arrangement_tell_kept', 'arrangement_valid_days', 'backlog_daily', 'breaker_factor', 'breaker_failures',
        'breaker_minimum', 'day_count', 'keep_arrangements', 'keep_calls', 'keep_holds', 'keep_promises',
        'large_debtor', 'mail_limit', 'page_in_mails', 'page_offer', 'page_offer_count', 'page_offer_days',
        'page_offer_minimum', 'pause_on_reply', 'promise_grace_days', 'window_left', 'window_top')),
}


#: Rules about records that later releases do without.
GONE_RULES = {
    'Reminders sent together: multi-company', 'Stopped queue: multi-company', 'Turn of a debtor: multi-company'}

#: Conditions of rules that are given to a database that has the old ones.
OF_BRANCHES = dict.fromkeys(
    (('ir_rule', name) for name in ('domain_force', 'perm_create', 'perm_unlink', 'perm_write')),
    "Since 19.0.1.10.0 a letter can be about several branches of one creditor, and a page is that of the creditor.")

#: What 19.0.1.10.0 writes anew in every older database.
ANEW = {
    **OF_BRANCHES,
    ('dunning_interest_rate', 'source'): "Of two rates a note of the maker became what a user has to do.",
    ('dunning_level', 'color'): "Shipped levels have colours from calm to serious.",
    ('res_company', 'write_date'): "The creditor of each company is stored.",
    ('res_groups', 'write_date'): "Who used the app before keeps all of its menus.",
    ('res_groups_implied_rel', 'new'): "Who used the app before keeps all of its menus.",
    ('res_partner', 'write_date'): "Choices about a debtor are those of the creditor.",
}

#: Costs of 14-day letters and the first day on which they are owed, by debtor, before and now: never more or earlier.
#: The company chose VAT on costs and a fourth day for the post after they had left. What a letter did not say raises
#: nothing: 300 of the 1790.80 was paid in time; the costs are 15% of the rest. The post takes four days of them all:
#: those of Tuesday 3 and Wednesday 18 November were there on Saturday 7 and Tuesday 24; 21 November is a Saturday.
FOURTEEN_DAY = {
    'D1005': [('226.88', '2026-12-08'), ('226.88', '2026-12-09')],
    'D1021': [('268.62', '2026-11-21'), ('223.62', '2026-11-24')],
}


#: What every earlier release decided otherwise, as in ``decided``.
NAMED = dict.fromkeys(
    [('unmatched_receipt', 'netted'), ('unmatched_receipt', 'hold'), ('due', 'netted'), ('due', 'due')],
    (('reason', 'is_due', 'amount_due', 'amount_netted', 'changes_on'),
     "Since 19.0.1.9.0 money that names an invoice, or is exactly the sum of only one, is set against that one."))


@tagged('standard', 'post_install_l10n', 'post_install')  # without the base class of Odoo it has no tag yet
class Upgrade:
    """From one release to this checkout. All is done once; the tests compare what was seen."""

    #: The last commit of the release.
    commit = ''
    version = ''
    #: How many rows there are at least, by table and state (or kind): what a comparison must not miss.
    filled = {}
    #: (table, column) that an update from this release writes anew, with the reason.
    rewritten = {}
    #: Whether the release claimed interest and costs of items that were wholly on hold, such as by an arrangement.
    asked_what_is_held = False
    #: What settings of the company became, as their note says it.
    noted = ()
    #: Reasons why (not) that later releases changed, (old, new): (what else of the step follows from it, why).
    decided = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if bootstrap is None:
            raise SkipTest("Needs the development environment of the checkout (run it with `make test`).")
        home, template = bootstrap.ensure(quiet=True)
        try:
            release = releases.addons_folder(cls.commit)
        except Failure as failure:
            raise SkipTest(str(failure)) from failure
        cls.name = f"dunning_test_{paths.checkout_key()}_{os.getpid()}-upgrade{cls.version}"
        postgres.create(cls.name, template)
        cls.addClassCleanup(postgres.drop, cls.name)
        cls.addClassCleanup(sql_db.close_db, cls.name)

        old = f"--addons-path={','.join([*odoo.addons_paths(home), str(release)])}"
        database.install(cls.name, [paths.MODULE], old)
        demo_data = str(release / paths.MODULE / 'dev' / 'demo_data.py')
        cls.seen = cls.ask(f"(session.fill(env, {demo_data!r}), session.look(env))[1]", old)
        cls.rows, cls.shipped = cls.read_rows()
        cls.complaints = database.complaints(database.update(cls.name, [paths.MODULE]))
        cls.new_rows, cls.new_shipped = cls.read_rows()
        cls.complaints += database.complaints(database.update(cls.name, [paths.MODULE]))
        cls.last_rows, _shipped = cls.read_rows()
        cls.now_seen = cls.ask("session.look(env)")

    @classmethod
    def ask(cls, expression, *options):
        """Return what an expression gives in a shell of Odoo on the database."""
        output = database.execute(cls.name, f"""
import json, sys
sys.path.insert(0, {str(paths.CHECKOUT / 'dev')!r})
import upgrade_session as session
print('RESULT', json.dumps({expression}, default=str))
""", *options)
        lines = [line for line in output.splitlines() if line.startswith('RESULT ')]
        return json.loads(lines[-1].removeprefix('RESULT '))

    @classmethod
    def read_rows(cls):
        """Return (the rows of all tables by id, the external ids of the addon: (table, id) to noupdate)."""
        with closing(sql_db.db_connect(cls.name).cursor()) as cr:
            cr.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
            tables = sorted(name for name, in cr.fetchall() if not OF_CORE.fullmatch(name))
            rows = {table: {} for table in tables}
            for table in tables:
                condition = ROWS.get(table, SQL("TRUE"))
                cr.execute(SQL("SELECT to_jsonb(t) FROM ONLY %s t WHERE %s", SQL.identifier(table), condition))
                for row, in cr.fetchall():
                    rows[table][row.get('id') or json.dumps(row, sort_keys=True)] = row
            cr.execute("SELECT model, res_id, noupdate FROM ir_model_data WHERE module = %s", [paths.MODULE])
            shipped = {
                (ACTIONS.get(model, model.replace('.', '_')), res_id): noupdate
                for model, res_id, noupdate in cr.fetchall()}
        return rows, shipped

    # -------------------------------------------------------------------------
    # WHAT WAS THERE
    # -------------------------------------------------------------------------

    def test_was_filled(self):
        """The old database holds what a comparison must not miss."""
        for (table, column), counts in self.filled.items():
            found = Counter(str(row[column]) for row in self.rows[table].values())
            for value, least in counts.items():
                with self.subTest(table=table, value=value):
                    self.assertGreaterEqual(found[value], least, found)
        self.assertEqual(self.seen['edits'], EDITS)
        self.assertEqual(set(self.seen['screens'].values()), {True})
        self.assertTrue(self.seen['filter'])
        self.assertGreater(len(set(filter(None, self.seen['levels'].values()))), 4)
        for day, steps in self.seen['steps'].items():
            self.assertGreater(len({step['reason'] for step in steps.values()}), 6, day)

    # -------------------------------------------------------------------------
    # WHAT IS THERE NOW
    # -------------------------------------------------------------------------

    def test_log_is_clean(self):
        self.assertEqual(self.complaints, [])

    def test_every_row_is_kept(self):
        """Only what ships to be updated is: all other rows of all tables have the values they had."""
        updated = {key for key, noupdate in self.shipped.items() if not noupdate}
        rewritten, wrong = set(), []
        notes = {('mail_message', note['id'], 'new') for note in self.get_setting_notes()}
        for table, key, what in differences(self.rows, self.new_rows, updated, self.new_shipped):
            if (table, what) in self.rewritten:
                rewritten.add((table, what))
            elif (table, what) in DROPPED:
                self.assertNotIn(what, self.new_rows[table].get(key, {}))
            elif (table, key, what) in notes:
                continue
            elif not self.lost_its_parent(table, key, what) and not self.lost_its_model(table, key, what):
                old, new = self.rows[table].get(key, {}), self.new_rows[table].get(key, {})
                wrong.append((table, key, what, old.get(what, old), new.get(what, new)))
        self.assertEqual(wrong, [])
        self.assertEqual(rewritten, set(self.rewritten), "This is not written anew; take it off the list")

    def lost_its_parent(self, table, key, what):
        """Return whether a view has another parent because its own was merged into that one."""
        parent = self.rows[table].get(key, {}).get('inherit_id')
        return (table, what) == ('ir_ui_view', 'inherit_id') and parent and parent not in self.new_rows[table]

    def lost_its_model(self, table, key, what):
        """A rule about records that later releases do without goes with them."""
        return (table, what) == ('ir_rule', 'gone') and self.rows[table][key]['name'] in GONE_RULES

    def get_setting_notes(self):
        """Return the messages about settings that became constants."""
        old, new = self.rows['mail_message'], self.new_rows['mail_message']
        return [row for key, row in new.items() if key not in old and "<li>" in row['body'] and row['is_internal']]

    def test_settings_go_where_they_are_kept(self):
        """What a policy or one number says is carried over; of the rest a note says what it was and what it is now."""
        [company] = [row for row in self.rows['res_company'].values() if row['dunning_backlog_daily'] == 7]
        now = self.new_rows['res_company'][company['id']]
        # The neutral policy that comes along asks no interest.
        policies = self.new_rows['dunning_policy']
        self.assertEqual({policies[key]['day_count'] for key in self.rows['dunning_policy']}, {'act/act'})
        if 'dunning_keep_calls' in company:
            self.assertEqual((now['dunning_keep_months'], now['dunning_page_offer_total']), (12, 0))
        [note] = self.get_setting_notes()
        self.assertEqual((note['model'], note['res_id']), ('res.partner', company['partner_id']))
        self.assertEqual(re.findall(r'<li>(.*?)</li>', note['body']), list(self.noted))

    def test_updating_again_changes_nothing(self):
        left = [
            difference for difference in differences(self.new_rows, self.last_rows)
            if difference[2] not in ('write_date', 'arch_prev')]
        self.assertEqual(left, [])

    def test_letters_are_the_ones_that_left(self):
        self.assertEqual(self.now_seen['letters'], self.seen['letters'])
        letters = [letter for letter in self.now_seen['letters'].values() if letter['sha256']]
        self.assertGreater(len(letters), 20)
        for letter in letters:
            self.assertEqual((letter['starts'], letter['sha256']), ('%PDF-', letter['recorded']))

    def test_levels_and_sums(self):
        """Sums change of what is wholly on hold, where the law looks at a 14-day letter anew, and where money goes to
        what its payer named; levels nowhere.
        """
        self.assertEqual(self.now_seen['levels'], self.seen['levels'])
        now, before = self.now_seen['claims'], self.seen['claims']
        self.assertEqual(now.keys(), before.keys())
        held, letters, moved = False, {}, set()
        netted = {item for step in self.now_seen['steps'].values() for item, now_is in step.items()
                  if now_is['reason'] == 'netted'}
        for key, new, old in (
            (name, *claims) for name in before for claims in zip(now[name], before[name], strict=True)
        ):
            for item, was in zip(new['items'], old['items'], strict=True):
                changed = {field for field, value in was.items() if item[field] != value}
                if changed and was['costs_why'] == 'fourteen_day':
                    self.assertLessEqual(changed, {'costs', 'costs_all', 'costs_since', 'costs_total', 'left'})
                    self.assertEqual(item['left'][1:], was['left'][1:])
                    letters[key.split()[0]] = [(line['costs'], line['costs_since']) for line in (was, item)]
                elif 'reduction' in changed and (
                    item['reduction'] != item['open'] or was['reduction'] == '0' or str(item['item_id']) in netted
                ):
                    moved.add(key)
                elif 'costs_principal' in changed:
                    # Costs are worked out over what is left of all items together.
                    less, fewer = (Decimal(item[name]) < Decimal(was[name]) for name in (
                        'costs_principal', 'costs_total'))
                    self.assertEqual(less, fewer, (key, was, item))
                elif changed:
                    held = True
                    self.assertEqual(item['reduction'], item['open'], (key, changed))
                    self.assertEqual({Decimal(item['interest']), Decimal(item['costs'])}, {0})
        self.assertEqual(held, self.asked_what_is_held)
        self.assertTrue(moved, "Since 19.0.1.9.0 a receipt that names an invoice is set against it")
        self.assertEqual(letters, FOURTEEN_DAY)

    def test_next_steps(self):
        decided, wrong, expected = set(), [], {**NAMED, **self.decided}
        for day, steps in self.seen['steps'].items():
            now = self.now_seen['steps'][day]
            self.assertEqual(set(now), set(steps))
            for item, step in steps.items():
                change = step['reason'], now[item]['reason']
                follows, _why = expected.get(change, ((), ''))
                decided |= {change} & set(self.decided)
                wrong += [
                    (day, item, change, key, value, now[item][key]) for key, value in step.items()
                    if now[item][key] != value and key not in follows]
        self.assertEqual(wrong, [])
        self.assertEqual(decided, set(self.decided), "This is decided as before; take it off the list")

    def test_edits_of_users(self):
        self.assertEqual(self.now_seen['edits'], EDITS)
        self.assertEqual(self.now_seen['filter'], self.seen['filter'])

    def test_views_of_users(self):
        """A user's own view keeps its place on the form, also when the view it extended became part of another."""
        self.assertEqual(self.now_seen['screens'], self.seen['screens'])
        views = {row['name']: row for row in self.new_rows['ir_ui_view'].values()}
        self.assertEqual({name: views[name]['active'] for name in self.seen['screens']}, self.seen['screens'])

    def test_work_goes_on(self):
        """What waited in the old release leaves in this one and what had left stands; the scheduled actions run."""
        waiting = {name for name, letter in self.seen['letters'].items() if letter['state'] in ('draft', 'queued')}
        done = self.ask("session.go_on(env)")
        self.assertGreater(len(done['sent']), 1)
        self.assertLessEqual(set(done['sent']), waiting)
        for name, letter in done['sent'].items():
            self.assertEqual(
                (letter['state'], letter['starts'], letter['sha256']), ('sent', '%PDF-', letter['recorded']), name)
        self.assertTrue(done['planned'])
        self.assertEqual(done['void'], [], "What the old release did not write down is taken as it was told")


def differences(rows, new_rows, updated=(), shipped=None):
    """Yield (table, id, what) of each difference: a column, or that the row is gone or new.

    A language that a text did not have may be added; a column, too.

    :param updated: (table, id) that may change and go
    :param shipped: (table, id) that may be new; None: none
    """
    for table, old in rows.items():
        new = new_rows.get(table, {})
        for key in old.keys() | new.keys():
            if (table, key) in updated:
                continue
            if key not in old:
                if (table, key) not in (shipped or ()):
                    yield table, key, 'new'
            elif key not in new:
                yield table, key, 'gone'
            else:
                for column, value in old[key].items():
                    if column not in new[key] or not is_kept(value, new[key][column]):
                        yield table, key, column


def is_kept(old, new):
    if isinstance(old, dict) and isinstance(new, dict) and 'en_US' in old:
        return old.items() <= new.items()
    return old == new


#: Of each setting that the session chose otherwise.
NOTED = ("Achterstand per dag: 7 → 50", "Venster vanaf de zijkant (mm): 31,5 → 20")
NOTICES = {'draft': 1, 'queued': 2, 'sent': 25, 'undelivered': 1}


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestUpgradeFrom100(Upgrade, BaseCase):
    allow_inherited_tests_method = True

    commit = 'cb89911a17ce80b6c12a5ff1ad4b659ec0e5eb06'
    version = '19.0.1.0.0'
    filled = {
        ('dunning_notice', 'state'): NOTICES,
        ('dunning_notice', 'channel'): {'email': 15, 'both': 3, 'phone': 3, 'task': 1},
        ('dunning_hold', 'dispute_category'): {'quantity': 1},
        ('dunning_receipt', 'kind'): {'registered': 1},
        ('dunning_withdrawal', 'state'): {'sent': 1, 'proposed': 1},
    }
    rewritten = {
        **ANEW,
        ('dunning_notice', 'approved'): "it follows from who approved",
        ('dunning_notice', 'write_date'): "fields that are stored since then are worked out",
        ('dunning_notice', 'write_uid'): "fields that are stored since then are worked out",
    }
    noted = NOTED
    decided = {
        ('due', 'one_message'): (
            ('reason', 'is_due', 'amount_due', 'changes_on'),
            "Since 19.0.1.2.0 a debtor gets one message a day; items at another step follow the day after."),
        ('no_address', 'due'): (
            ('reason', 'is_due', 'amount_due'),
            "Since 19.0.1.2.0 what the channel of a level cannot reach goes by another one."),
    }


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestUpgradeFrom130(Upgrade, BaseCase):
    allow_inherited_tests_method = True

    commit = '27df4e70b2648a82bae14fd8a20a6ea897e278c8'
    version = '19.0.1.3.0'
    filled = {
        ('dunning_notice', 'state'): NOTICES,
        ('dunning_notice', 'channel'): {'email': 15, 'both': 3, 'phone': 3, 'task': 1},
        ('dunning_hold', 'dispute_category'): {'quantity': 1},
        ('dunning_receipt', 'kind'): {'registered': 1},
        ('dunning_withdrawal', 'state'): {'sent': 1, 'proposed': 1},
        ('dunning_promise', 'state'): {'running': 1, 'kept': 1, 'partly': 1, 'broken': 1},
        ('dunning_arrangement', 'state'): {'offered': 1, 'active': 1},
        ('dunning_call', 'origin'): {'screen': 8},
    }
    rewritten = {
        **ANEW,
        ('dunning_hold_reason', 'active'): "no company waited after a reply",
        ('dunning_notice', 'approved'): "it follows from who approved",
        ('res_company', 'dunning_page_offer_total'): "nothing was offered without a colleague",
    }
    asked_what_is_held = True
    noted = (
        "Notities bij toezeggingen bewaren (maanden): 24 → 12", "Notities bij blokkades bewaren (maanden): 0 → 12",
        *NOTED)
