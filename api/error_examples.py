"""One example of every error, for the documents: each made as the real one is, so that its shape is true."""

from api.examples import REQUEST_ID
from tools import errors
from tools.errors import CapabilityError

EXAMPLES: tuple[CapabilityError, ...] = (
    errors.InvalidRequest("The body is not a JSON object.", fix='Send one JSON object, such as {"name": "Sale"}.'),
    errors.InvalidPipe(
        "There is no pipe p_nothing.", fix="Use one of details.allowed.", allowed=["p_top_pages", "p_traffic_sources"]
    ),
    errors.MissingAuthorization("No credential was sent.", fix="Send Authorization: Bearer <key>, or sign in."),
    errors.InvalidAuthorizationFormat("The header is malformed.", fix="Send Authorization: Bearer <key>."),
    errors.InvalidApiKey("This API key is not known.", fix="Check that it was copied whole, or create another."),
    errors.ApiKeyExpired("This API key expired.", fix="Ask an owner for a new one."),
    errors.ApiKeyRevoked("This API key was revoked.", fix="Ask an owner for a new one."),
    errors.SessionExpired("The session is over.", fix="Sign in again."),
    errors.QuotaExceeded(
        "This month's 500 chat turns are used up.", fix="Upgrade the plan.", upsell_url="https://example.com/pricing"
    ),
    errors.InsufficientScope(
        "update_campaign needs ads:write.",
        fix="Use a key or a member that has this scope.",
        required="ads:write",
        available=["ads:read"],
    ),
    errors.HumanRequired("Only a signed-in person uses approve.", fix="Ask the person to do this in Adwright."),
    errors.CrossOrigin("The request comes from another site.", fix="Send it from our own pages, or use an API key."),
    errors.DirectKeyRefused("A direct key is not for this.", fix="Use a gated key."),
    errors.NotFound("There is no such campaign.", fix="Take an id from list_campaigns."),
    errors.Conflict("There is one already.", fix="Use the one there is, or choose another name."),
    errors.StalePlan("Things changed since this plan was shown.", fix="Look at details and send its digest."),
    errors.AlreadyDecided("This approval is already done.", fix="Look at it with get_approval."),
    errors.ApprovalExpired("This approval expired before anyone decided.", fix="Propose the change again."),
    errors.IdempotencyInProgress(
        "The first call with this idempotency key is not finished.",
        fix="Send the same again in 2 s; it is not done twice.",
        retry_after=2,
    ),
    errors.MethodNotAllowed("PUT is not possible here.", fix="Use GET or POST.", allowed=["GET", "HEAD", "POST"]),
    errors.TooLarge("The request body is larger than 1 MiB.", fix="Send at most 1048576 bytes a request."),
    errors.UnsupportedMediaType("A body is read as JSON and nothing else.", fix="Send Content-Type: application/json."),
    errors.InvalidArguments(
        "The arguments do not fit: limit: must be a whole number, such as 25",
        fix="Correct the fields named in details.problems.",
        problems=[{"field": "limit", "problem": "must be a whole number, such as 25"}],
    ),
    errors.IdempotencyMismatch(
        "This idempotency key was used for another request.",
        fix="Send the request that it was first used for, or a new key.",
        capability="update_campaign",
    ),
    errors.Guardrail("The daily budget would exceed its ceiling.", fix="Lower it, or raise the ceiling."),
    errors.CredentialsUnreadable(
        "The credential cannot be decrypted.", fix="Reconnect the account.", connection_id="con_7Hq2mXv9KpLr4TnW8sYd"
    ),
    errors.PlatformFailure(
        "Meta did not accept the change.", fix="Correct what Meta names.", platform="meta", outcome="refused"
    ),
    errors.ReauthRequired("Meta no longer accepts this token.", fix="Reconnect the account.", platform="meta"),
    errors.AccountBlocked("The ad account is disabled.", fix="Resolve this with Meta.", platform="meta"),
    errors.VersionSunset("This API version is no longer served.", fix="Set META_API_VERSION.", platform="meta"),
    errors.RateLimited(
        "More than 60 calls a minute (campaign-mutations).",
        fix="Wait 12 s.",
        retry_after=12,
        source="local",
        limit="campaign-mutations",
        perMinute=60,
    ),
    errors.Unavailable("Nothing can be stored now.", fix="Try again in a moment.", retry_after=5),
    errors.IngestUnavailable("The event could not be stored.", fix="Keep it and send it again.", retry_after=5),
    errors.Internal("Something went wrong on our side.", fix=f"Try again; if it stays, report {REQUEST_ID}."),
)
