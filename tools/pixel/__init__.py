"""First-party web analytics: the websites of a workspace, what is watched on them, and what they tell."""

from tools.capability import AnyCapability
from tools.pixel.alerts import list_alerts
from tools.pixel.events import record_event
from tools.pixel.funnels import create_funnel, delete_funnel, list_funnels, update_funnel
from tools.pixel.get_pipe_token import get_pipe_token
from tools.pixel.goals import create_goal, delete_goal, list_goals, update_goal
from tools.pixel.identify import identify_visitor
from tools.pixel.install import check_installation, get_install_snippet
from tools.pixel.metrics import describe_metric, list_metrics
from tools.pixel.query import query_metrics
from tools.pixel.reports import list_reports
from tools.pixel.share_links import create_share_link, delete_share_link, list_share_links, update_share_link
from tools.pixel.visitors import get_visitor
from tools.pixel.websites import create_website, delete_website, list_websites, update_website

CAPABILITIES: tuple[AnyCapability, ...] = (
    list_websites,
    create_website,
    update_website,
    delete_website,
    list_goals,
    create_goal,
    update_goal,
    delete_goal,
    list_funnels,
    create_funnel,
    update_funnel,
    delete_funnel,
    list_share_links,
    create_share_link,
    update_share_link,
    delete_share_link,
    list_alerts,
    list_reports,
    get_install_snippet,
    check_installation,
    list_metrics,
    describe_metric,
    query_metrics,
    get_pipe_token,
    get_visitor,
    record_event,
    identify_visitor,
)
