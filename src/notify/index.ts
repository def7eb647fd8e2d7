import type { NotificationSettings } from '../model/notification.js';
import type { Channel } from '../model/ports/notifications.js';
import { createEmail } from './email.js';
import { createSlack } from './slack.js';
import { createStatusPage } from './status-page.js';
import { createWebhook } from './webhook.js';

/** Every channel there is; a new one is one file and one line here. */
const CHANNELS: readonly ((settings: NotificationSettings) => Channel | undefined)[] = [
  createSlack,
  createEmail,
  createWebhook,
  createStatusPage,
];

/** @returns the channels that the settings name */
export function createChannels(settings: NotificationSettings): readonly Channel[] {
  return CHANNELS.flatMap((create) => create(settings) ?? []);
}
