"""The Google Ads API (REST) behind the ad-platform port."""
