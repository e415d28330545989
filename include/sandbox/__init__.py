"""Stand-ins that speak the real protocols: Amazon's Selling Partner API and the mail servers, over invented history."""
