"""Addresses of the channel's set-up and keys, and of the files that travelled."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from channels.views import files, keys, rest, setup

urlpatterns: list[URLPattern] = [
    path("channel/setup/", setup.setup, name="channel_setup"),
    path("channel/settings/", setup.change_settings, name="channel_settings"),
    path("channel/environment/", setup.environment, name="channel_environment"),
    path("channel/chaman/", setup.chaman, name="channel_chaman"),
    path("channel/server/", setup.server, name="channel_server"),
    path("channel/verify/", setup.verify, name="channel_verify"),
    path("channel/service/", setup.service, name="channel_service"),
    path("channel/keys/", keys.keys, name="channel_keys"),
    path("channel/keys/ssh/", keys.ssh_key, name="channel_ssh_key"),
    path("channel/keys/certificate/", keys.certificate, name="channel_certificate"),
    path("channel/keys/rest/", rest.check, name="channel_rest"),
    path("channel/keys/rest/keep/", rest.keep, name="channel_rest_keep"),
    path("channel/keys/<int:pk>/file/", keys.file, name="channel_key_file"),
    path("channel/keys/<int:pk>/switch/", keys.switch, name="channel_key_switch"),
    path("channel/keys/<int:pk>/remove/", keys.remove, name="channel_key_remove"),
    re_path(r"^files/sent/(?P<pk>\d{1,18})/(?P<kind>fi|fs|go)/$", files.sent_file, name="sent_file"),
    path("files/received/<int:pk>/", files.inbound_file, name="inbound_file"),
]
