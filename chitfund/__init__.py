"""The backend of a registered chit fund office: settings, wiring and the base floor."""
