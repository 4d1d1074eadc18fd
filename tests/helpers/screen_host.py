"""A small application that shows one screen, and keeps what that gives and says."""

import asyncio
import re

from textual.app import App


class Host(App):
    def __init__(self, screen):
        super().__init__()
        self.shown, self.given, self.said = screen, [], []

    def on_mount(self):
        self.push_screen(self.shown, self.given.append)

    def on_setting_changed(self, message):
        self.said.append((message.name, message.value))


def shown(screen, *steps, size=(80, 24)):
    """Show a screen, take steps (keys, or functions called with the pilot), and return the host."""

    async def run():
        host = Host(screen)
        async with host.run_test(size=size) as pilot:
            await pilot.pause()
            for step in steps:
                if callable(step):
                    step(pilot)
                else:
                    await pilot.press(step)
                if host.workers:
                    await host.workers.wait_for_complete()
                await pilot.pause()
        return host

    return asyncio.run(run())


def lines_of(host):
    """Return what is on the screen, as lines of text."""
    strips = host.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def seen(into):
    """Return a step that keeps the words on the screen, without lines and boxes."""
    return lambda pilot: into.append(" ".join(re.sub("[\u2500-\u25ff]", " ", " ".join(lines_of(pilot.app))).split()))


def typed(text):
    """Return the keys that type a text."""
    return ["space" if letter == " " else letter for letter in text]


def told(host):
    """Return what the notifications said, one after another."""
    return " ".join(notification.message for notification in host._notifications)


def filled(text):
    """Return a step that fills the field one is in."""
    return lambda pilot: setattr(pilot.app.screen.focused, "value", text)
