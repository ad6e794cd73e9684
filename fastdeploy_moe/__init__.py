"""The mixture-of-experts family of FastDeploy on Paddle."""
