"""The ground floor: what knows nothing of IDC and every other room may use."""
