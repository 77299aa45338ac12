"""Campaigns on every connected ad platform."""

from tools.campaigns.create import create_campaign
from tools.campaigns.delete import delete_campaign
from tools.campaigns.list import list_campaigns
from tools.campaigns.pause_low_roas import pause_low_roas_campaigns
from tools.campaigns.update import update_campaign

CAPABILITIES = (list_campaigns, create_campaign, update_campaign, delete_campaign, pause_low_roas_campaigns)
