#!/usr/bin/env python3
"""Core's own tests, with and without the addon: each has to end the same way.

dev/core_tests.py                            all that are named here
dev/core_tests.py /mail:TestMailRender …     only these (Odoo's words for --test-tags)

It prints the tests that end differently, and ends with exit code 1 when there are any. What fails in both databases is
core's own or this machine's, and is only counted. The logs are kept in the workspace of this checkout.
"""

import re
import shutil
import subprocess
import sys

from env import bootstrap, database, paths, runtime, say

#: Core's own tests of its mail queue need models that only exist to be tested.
MODULES = ["test_mail"]
#: What the addon overrides is tested here: e-mail, its notifications and servers, entries, payments and bank lines,
#: contacts and their merging, attachments and the portal. Classes are named as in the files of core.
TESTS = {
    "account": """
        TestAccountBankStatementLine TestAccountEarlyPaymentDiscount TestAccountJournalDashboard TestAccountMove
        TestAccountMoveAttachment TestAccountMoveDuplicate TestAccountMoveOutInvoiceOnchanges
        TestAccountMoveOutRefundOnchanges TestAccountMovePaymentsWidget TestAccountMoveReconcile TestAccountMoveSend
        TestAccountPartner TestAccountPayment TestAccountPaymentDuplicateMoves TestAccountPaymentItems
        TestAccountPaymentMethodLine TestAccountPaymentRegister TestAccountPaymentTerms TestAuditTrail
        TestAuditTrailAttachment TestCompanyBranch TestDownloadDocs TestDuplicatePartnerBank TestMergePartner
        TestPortalAttachment TestPortalInvoice TestTracking TestUnexpectedAmount""",
    "account_payment": "TestAccountPayment TestFlows TestPaymentProvider",
    "base": """
        TestIrAttachment TestIrMailServer TestMergePartner TestPartner TestPartnerAddressCompany TestPartnerForm
        TestPermissions TestResPartnerBank""",
    "mail": """
        TestDiscussTools TestFetchmail TestIrMailServer TestMailActivityChatter TestMailActivityIntegrity
        TestMailComposer TestMailComposerRendering TestMailMessage TestMailRender TestMailRenderSecurity
        TestMailTemplate TestMailTools TestMailUtils TestPartner TestPersonalServer TestUpdateNotification""",
    "portal": "TestMessageFormatPortal TestPager TestPortalAddresses TestPortalWizard TestUsersHttp",
    "test_mail": """
        TestAttachment TestComposerInternals TestComposerResultsComment TestComposerResultsCommentStatus
        TestComposerResultsMass TestComposerResultsMassStatus TestMailGatewayLoops TestMailGatewayReplies TestMailMail
        TestMailMailRace TestMailMailServer TestMailTemplate TestMailgateway TestMessagePost TestMultiCompanySetup
        TestNotification""",
}
#: A test begins, is skipped or fails; a class that cannot be set up fails under its own name.
EVENT = re.compile(
    r"^\S+ \S+ \d+ (?:INFO|ERROR) \S+ odoo\.addons\.(?P<module>\w+)\.tests\.\S+: "
    r"(?P<event>Starting|skipped|FAIL:|ERROR:) (?:Subtest )?(?P<test>[\w.]+( \([\w.]+\))?)",
    re.MULTILINE,
)
#: The template keeps files in its database; core's tests of attachments look in the folder for them.
RUN = """
from odoo.tests.shell import run_tests
env['ir.config_parameter'].search([('key', '=', 'ir_attachment.location')]).unlink()
env.cr.commit()
run_tests(env, %r)
"""
OUTCOMES = {"Starting": "passed", "skipped": "skipped", "FAIL:": "failed", "ERROR:": "failed"}
WORSE = ["passed", "skipped", "failed"]


def main():
    named = sys.argv[1:] or [f"/{module}:{name}" for module, names in TESTS.items() for name in names.split()]
    _home, template = bootstrap.ensure()
    with database.copied("core", template) as without, say.timed("installing the tests of core"):
        database.install(without, MODULES)
        with database.copied("corewith", without) as with_addon:
            database.install(with_addon, [paths.MODULE])
            outcomes = [run(name, named) for name in (without, with_addon)]
    sys.exit(compare(*outcomes))


def run(name, named):
    """Return ``{test: outcome}`` of the named tests in a database."""
    log = paths.workspace() / f"{re.sub('_[0-9]+$', '', name)}.log"
    words = ["-d", name, f"--http-port={runtime.free_port()}", "--log-level=warn", "--max-cron-threads=0"]
    command = runtime.odoo_command("shell", *words, "--log-handler=odoo.addons:INFO")
    with say.timed(f"running core's tests in {name}"), log.open("w") as file:
        pipes = {"input": RUN % ",".join(named), "text": True, "stdout": file, "stderr": subprocess.STDOUT}
        done = subprocess.run(command, env=runtime.environment(), check=False, **pipes)
    shutil.rmtree(paths.cache() / "data" / "filestore" / name, ignore_errors=True)
    outcomes = {}
    for event in EVENT.finditer(log.read_text(errors="replace")):
        test = f"{event['module']}: {event['test']}"
        outcomes[test] = max(outcomes.get(test, "passed"), OUTCOMES[event["event"]], key=WORSE.index)
    if done.returncode or not outcomes:
        raise say.Failure(f"Core's tests did not run in {name}; the log is {log}")
    return outcomes


def compare(without, with_addon):
    """Print the differences between two dicts ``{test: outcome}``; return whether there are any."""
    differences = [
        f"{test}: {without.get(test, 'not run')} without the addon, {with_addon.get(test, 'not run')} with it"
        for test in sorted({*without, *with_addon})
        if without.get(test) != with_addon.get(test)
    ]
    for title, outcomes in (("without", without), ("with", with_addon)):
        counts = {outcome: list(outcomes.values()).count(outcome) for outcome in WORSE}
        print(f"{title} the addon: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    print("\n".join(f"✗ {line}" for line in differences) or "✓ Each of core's tests ends the same way.")
    return bool(differences)


if __name__ == "__main__":
    with say.failures_as_sentences():
        main()
