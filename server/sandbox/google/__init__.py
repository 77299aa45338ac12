"""A stand-in for the Google Ads REST API v26 and its token endpoint, as strict as the platform."""
