import { onWillStart, useState } from "@odoo/owl";

import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { evaluateBooleanExpr } from "@web/core/py_js/py";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";

// As PENDING_STATES of the model: what can still be cancelled.
const PENDING = ["draft", "queued", "todo", "to_post", "leaving", "error"];

/** The list of notices, with above it what is being sent, and how many notices were wrong. */
export class DunningNoticeListController extends ListController {
    static template = "l10n_nl_dunning.NoticeListView";

    setup() {
        super.setup();
        this.dunningOrm = useService("orm");
        this.dunningAction = useService("action");
        this.dunningDialog = useService("dialog");
        this.banner = useState({ running: [], withdrawals: "", wrong: "" });
        onWillStart(() => this.loadBanner());
        useBus(this.env.bus, "DUNNING-PROGRESS", ({ detail }) => this.onProgress(detail));
    }

    /** A button is shown for what it can do with at least one of the selected notices. */
    evalViewModifier(modifier) {
        const { evalContext, selection = [] } = this.model.root;
        const notices = selection.map((record) => record.data);
        const states = new Set(notices.flatMap((notice) => [notice.state, notice.postal_state]));
        if (notices.some((notice) => PENDING.includes(notice.state))) {
            states.add("pending");
        }
        const context = { ...evalContext.context, dunning_states: [...states] };
        return evaluateBooleanExpr(modifier, { ...evalContext, context });
    }

    async loadBanner() {
        const [running, wrong, count] = await Promise.all([
            this.dunningOrm.call("dunning.notice", "get_dunning_running", []),
            this.dunningOrm.call("dunning.notice", "get_dunning_wrong_figure", []),
            this.dunningOrm.call("dunning.notice", "get_dunning_proposed_withdrawals", []),
        ]);
        const withdrawals = count
            ? _t("Withdrawals of wrong notices that wait for you: %s", count)
            : "";
        Object.assign(this.banner, { running, withdrawals, wrong });
    }

    /** What somebody in this browser let go went a step further. */
    onProgress(progress) {
        const others = this.banner.running.filter((running) => running.id !== progress.id);
        if (progress.done < progress.total) {
            this.banner.running = [...others, progress];
        } else {
            this.banner.running = others;
            this.reload();
        }
    }

    onShowWithdrawals() {
        return this.dunningAction.doAction("l10n_nl_dunning.dunning_withdrawal_action");
    }

    onStop(running) {
        this.dunningDialog.add(ConfirmationDialog, {
            title: _t("Stop the rest?"),
            body: _t(
                "What is still in the queue becomes a proposal again. What left stays as it is."
            ),
            confirmLabel: _t("Stop the Rest"),
            confirm: () => this.decide(running, "action_stop_batch"),
            cancel: () => {},
        });
    }

    onShowRunning(running) {
        return this.decide(running, "action_show_batch", false);
    }

    async decide(batch, method, reload = true) {
        const action = await this.dunningOrm.call("dunning.notice", method, [[batch.id]]);
        await this.dunningAction.doAction(action);
        if (reload) {
            await Promise.all([this.loadBanner(), this.reload()]);
        }
    }

    reload() {
        this.model.useSampleModel = false; // what came in meanwhile is real
        return this.model.load();
    }
}

registry.category("views").add("dunning_notice_list", {
    ...listView,
    Controller: DunningNoticeListController,
});
