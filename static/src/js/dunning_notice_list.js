import { onWillStart, useState } from "@odoo/owl";

import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";

/** The list of notices, with above it the queues that stopped and ask, and how many notices were wrong. */
export class DunningNoticeListController extends ListController {
    static template = "l10n_nl_dunning.NoticeListView";

    setup() {
        super.setup();
        this.dunningOrm = useService("orm");
        this.dunningAction = useService("action");
        this.dunningDialog = useService("dialog");
        this.banner = useState({ stopped: [], wrong: "" });
        onWillStart(() => this.loadBanner());
    }

    async loadBanner() {
        const [stopped, wrong] = await Promise.all([
            this.dunningOrm.call("dunning.notice", "get_dunning_stopped", []),
            this.dunningOrm.call("dunning.notice", "get_dunning_wrong_figure", []),
        ]);
        Object.assign(this.banner, { stopped, wrong });
    }

    onLetGo(stopped) {
        this.dunningDialog.add(ConfirmationDialog, {
            title: _t("Let them go?"),
            body: stopped.text,
            confirmLabel: _t("Let Them Go"),
            confirm: () => this.decide(stopped, "action_release"),
            cancel: () => {},
        });
    }

    onShowStopped(stopped) {
        return this.decide(stopped, "action_show_notices", false);
    }

    onTurnBack(stopped) {
        return this.decide(stopped, "action_turn_back");
    }

    async decide(stopped, method, reload = true) {
        const action = await this.dunningOrm.call("dunning.breaker", method, [[stopped.id]]);
        await this.dunningAction.doAction(action);
        if (reload) {
            await Promise.all([this.loadBanner(), this.model.load()]);
        }
    }
}

registry.category("views").add("dunning_notice_list", {
    ...listView,
    Controller: DunningNoticeListController,
});
