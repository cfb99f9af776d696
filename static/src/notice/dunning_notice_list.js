import { onWillStart, useState } from "@odoo/owl";

import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";

/** The list of notices, with above it what is being sent, and how many notices were wrong. */
export class DunningNoticeListController extends ListController {
    static template = "l10n_nl_dunning.NoticeListView";

    setup() {
        super.setup();
        this.dunningOrm = useService("orm");
        this.dunningAction = useService("action");
        this.dunningDialog = useService("dialog");
        this.banner = useState({ running: [], wrong: "" });
        onWillStart(() => this.loadBanner());
        useBus(this.env.bus, "DUNNING-PROGRESS", ({ detail }) => this.onProgress(detail));
    }

    async loadBanner() {
        const [running, wrong] = await Promise.all([
            this.dunningOrm.call("dunning.notice", "get_dunning_running", []),
            this.dunningOrm.call("dunning.notice", "get_dunning_wrong_figure", []),
        ]);
        Object.assign(this.banner, { running, wrong });
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
