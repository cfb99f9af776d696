import { Component, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useBus, useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** The chapter about each screen: the model it shows, or the tag of the action. Other screens have the start. */
const CHAPTERS = {
    "account.move": "send",
    "account.move.line": "why",
    "dunning.absence": "worklist",
    "dunning.arrangement": "arrangements",
    "dunning.arrangement.instalment": "arrangements",
    "dunning.call": "calls",
    "dunning.call.outcome": "calls",
    "dunning.debtor": "worklist",
    "dunning.hold": "holds",
    "dunning.hold.reason": "holds",
    "dunning.hold.report": "reports",
    "dunning.interest.rate": "rates",
    "dunning.interruption": "limitation",
    "dunning.law.fact": "rates",
    "dunning.level": "policies",
    "dunning.notice": "notices",
    "dunning.page": "debtor-page",
    "dunning.policy": "policies",
    "dunning.promise": "promises",
    "dunning.remainder": "interest",
    "dunning.retention": "privacy",
    "dunning.time.machine.row": "time-machine",
    "dunning.waiver": "interest",
    "dunning.withdrawal": "waiting",
    "l10n_nl_dunning.debtor_screen": "debtor-screen",
    "res.config.settings": "settings",
    "res.partner": "contact",
};

/** Return the address of a chapter of the shipped guide, in the language of the user. */
function getAddress(chapter) {
    const language = user.lang.startsWith("nl") ? "nl" : "en";
    return `/l10n_nl_dunning/static/help/${language}.html#${chapter}`;
}

/** The question mark at the top of our app: it leads to the chapter about the screen that is open. */
class DunningHelp extends Component {
    static template = "l10n_nl_dunning.Help";
    static props = {};

    setup() {
        this.menu = useService("menu");
        this.action = useService("action");
        this.state = useState({ chapter: "" });
        useBus(this.env.bus, "ACTION_MANAGER:UI-UPDATED", () => this.update());
        useBus(this.env.bus, "MENUS:APP-CHANGED", () => this.update());
        this.update();
    }

    update() {
        const ours = this.menu.getCurrentApp()?.xmlid === "l10n_nl_dunning.menu_dunning_root";
        const { res_model: model, tag } = this.action.currentController?.action || {};
        this.state.chapter = ours ? CHAPTERS[model || tag] || "first-day" : "";
    }

    get address() {
        return getAddress(this.state.chapter);
    }
}

registry
    .category("systray")
    .add("l10n_nl_dunning.help", { Component: DunningHelp }, { sequence: 90 });

/** The same in a window, which covers the top: `<widget name="dunning_help" chapter="send" />`. */
class DunningHelpButton extends Component {
    static template = "l10n_nl_dunning.HelpButton";
    static props = { ...standardWidgetProps, chapter: String };

    open() {
        browser.open(getAddress(this.props.chapter), "_blank");
    }
}

registry.category("view_widgets").add("dunning_help", {
    component: DunningHelpButton,
    extractProps: ({ attrs }) => ({ chapter: attrs.chapter }),
});
