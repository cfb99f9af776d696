import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

// As long as the server lets it be undone, with time for the click.
const UNDO_DELAY = 58000;

/**
 * A notification with a button that runs an action, such as showing the notices it is about, and for a minute one that
 * undoes what was done. (The links of `display_notification` open an address; no address says “these records”.)
 */
function dunningNotification(env, action) {
    const { button, message, next, sticky, title, type, undo } = action.params;
    const buttons = [];
    if (undo) {
        buttons.push({
            name: _t("Undo"),
            onClick: async () => {
                close();
                const { action: actionService, orm } = env.services;
                const outcome = await orm.call(undo.model, "action_undo", [undo.ids]);
                await actionService.doAction(outcome);
                await actionService.doAction({ type: "ir.actions.client", tag: "soft_reload" });
            },
        });
    }
    if (button) {
        buttons.push({
            name: button.name,
            onClick: () => {
                close();
                env.services.action.doAction(button.action);
            },
            primary: true,
        });
    }
    const close = env.services.notification.add(message, {
        buttons,
        sticky: sticky || Boolean(undo),
        title,
        type,
    });
    if (undo) {
        browser.setTimeout(close, UNDO_DELAY);
    }
    return next;
}

registry.category("actions").add("l10n_nl_dunning.notification", dunningNotification);
