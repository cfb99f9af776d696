import { registry } from "@web/core/registry";

/**
 * A notification with a button that runs an action, such as showing the notices it is about.
 * (The links of `display_notification` open an address; no address says “these records”.)
 */
function dunningNotification(env, action) {
    const { button, message, next, sticky, title, type } = action.params;
    const buttons = [];
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
    const close = env.services.notification.add(message, { buttons, sticky, title, type });
    return next;
}

registry.category("actions").add("l10n_nl_dunning.notification", dunningNotification);
