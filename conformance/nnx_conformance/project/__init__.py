"""What a project has settled and stored: settings, waivers, findings, verdicts that are kept."""
