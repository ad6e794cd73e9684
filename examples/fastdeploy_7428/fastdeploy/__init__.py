"""FastDeploy's mixture-of-experts backends as pull request #7428 left them, re-created in plain Python."""
